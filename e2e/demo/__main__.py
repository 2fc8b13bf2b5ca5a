"""`make demo`: from nothing to a report. Exits with 1 when anything it shows does not hold."""

import json
import os
import sys

from cluster.__main__ import provider
from cluster.paths import REPOSITORY
from cluster.provider import ClusterError
from demo.report import told
from demo.run import NAMESPACE, move_digits
from scenario import diagnosis
from scenario.helm import HelmError
from scenario.kubectl import Kubectl, KubectlError
from scenario.system import DIGITS, stand_up
from scenario.waiting import StillWaitingError

BUILD = REPOSITORY / "build"
REPORT = BUILD / "demo.json"
CLUSTER = os.environ.get("ERGO_DEMO_CLUSTER", "demo")


def main() -> int:
    """Stand the system up, move a job, tell what happened; the cluster goes unless KEEP is set."""
    BUILD.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    try:
        print("A cluster of three nodes with 4 GPUs each, and the operator on it", flush=True)
        kubectl = stand_up(CLUSTER, DIGITS)
        print("A training job, and a drain of its node", flush=True)
        return _show(kubectl)
    except (ClusterError, HelmError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        _leave()


def _show(kubectl: Kubectl) -> int:
    try:
        report = move_digits(kubectl, BUILD / "demo")
    except (KubectlError, StillWaitingError) as error:
        diagnosis.write(kubectl, NAMESPACE, BUILD / "demo")
        print(f"error: {error}\nlogs and events are in {BUILD / 'demo'}", file=sys.stderr)
        return 1
    REPORT.write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    print(told(report))
    print(f"  the same as JSON: {REPORT.relative_to(REPOSITORY)}", flush=True)
    return 1 if report.faults else 0


def _leave() -> None:
    if os.environ.get("KEEP"):
        print(f"  the cluster stays: export KUBECONFIG={provider().kubeconfig(CLUSTER)}", flush=True)
    else:
        provider().delete(CLUSTER)


if __name__ == "__main__":
    sys.exit(main())
