"""Run the digits example in a plain pod and as a TrainingJob, in turns, and compare the time of a step."""

import argparse
import json
import os

from bench.overhead.measures import ratios, seconds_a_step, table
from cluster.__main__ import provider
from cluster.progress import step
from ergosphere.api.meta import LABEL_JOB
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import JobPhase
from scenario import reference_run
from scenario.jobs import CONTAINER, job_manifest
from scenario.kubectl import Kubectl
from scenario.names import DIGITS_IMAGE
from scenario.system import DIGITS, stand_up
from scenario.waiting import until

CLUSTER = os.environ.get("ERGO_E2E_CLUSTER", "")
NAMESPACE = "bench-overhead"
NODE = "node-1"


def main() -> None:
    """Measure on a cluster of its own, or on the one that ERGO_E2E_CLUSTER names, which is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="how many runs of each kind")
    parser.add_argument("--steps", type=int, default=3000, help="steps of each run")
    options = parser.parse_args()
    command = ["python3", "/app/train.py", "--steps", str(options.steps), "--pace", "0"]
    try:
        kubectl = stand_up(CLUSTER or "bench", DIGITS)
        kubectl.run("create", "namespace", NAMESPACE)
        pairs = [measured(kubectl, command, number) for number in range(options.pairs)]
        kubectl.run("delete", "namespace", NAMESPACE, "--timeout=120s")
    finally:
        if not CLUSTER:
            provider().delete("bench")
    found = ratios([alone for alone, _ in pairs], [managed for _, managed in pairs])
    print(table(found))
    print(json.dumps({"bench": "overhead", "steps": options.steps, **found}))


def measured(kubectl: Kubectl, command: list[str], number: int) -> tuple[float, float]:
    """Seconds a step in a plain pod, and then in a TrainingJob."""
    with step(f"pair {number + 1}: a plain pod"):
        alone = plain(kubectl, command)
    with step(f"pair {number + 1}: a TrainingJob"):
        return alone, job(kubectl, command, number)


def plain(kubectl: Kubectl, command: list[str]) -> float:
    """Seconds a step in a pod that Ergosphere has no part in."""
    with reference_run.started(kubectl, NAMESPACE, "plain", DIGITS_IMAGE, command, node=NODE) as run:
        run.steps(timeout=600)
        return seconds_a_step(kubectl.run("logs", "-n", NAMESPACE, "plain", "--timestamps"))


def job(kubectl: Kubectl, command: list[str], number: int) -> float:
    """Seconds a step in a TrainingJob that is never cut."""
    name = f"job-{number}"
    body = job_manifest(name, DIGITS_IMAGE, command)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": NODE}
    body["metadata"]["namespace"] = NAMESPACE
    kubectl.apply(body)
    # Watched as the plain pod is: following its output takes from the processors that it is measured on.
    until(f"{name} to end", lambda: _succeeded(kubectl, name), timeout=600)
    (pod,) = kubectl.list("pods", NAMESPACE, selector=f"{LABEL_JOB}={name}")
    log = kubectl.run("logs", "-n", NAMESPACE, pod["metadata"]["name"], "-c", CONTAINER, "--timestamps")
    return seconds_a_step(log)


def _succeeded(kubectl: Kubectl, name: str) -> bool:
    body = kubectl.get("trainingjob", name, NAMESPACE)
    assert body
    phase = TrainingJob.parse(body).status.phase
    assert phase is JobPhase.SUCCEEDED, phase
    return True


if __name__ == "__main__":
    main()
