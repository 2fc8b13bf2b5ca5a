"""Move jobs of one size and several numbers of workers again and again, and tell what each part took."""

import argparse
import json
import os

from bench.move.measures import line, summary, table
from cluster.__main__ import provider
from cluster.paths import REPOSITORY
from scenario.joblogs import JobLogs
from scenario.jobs import CONTAINER, Job, job_manifest
from scenario.kubectl import Kubectl
from scenario.moves import move
from scenario.names import WORKER_IMAGE
from scenario.system import WORKER, stand_up
from scenario.waiting import until

CLUSTER = os.environ.get("ERGO_E2E_CLUSTER", "")
NAMESPACE = "bench-move"


def main() -> None:
    """Measure on a cluster of its own, or on the one that ERGO_E2E_CLUSTER names, which is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=5, help="how often the job is moved")
    parser.add_argument("--state-mib", type=int, default=64, help="random bytes in each worker's memory, MiB")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16], help="sizes of the jobs")
    options = parser.parse_args()
    try:
        kubectl = stand_up(CLUSTER or "bench", WORKER)
        found = {
            workers: summary(measured(kubectl, workers, options.moves, options.state_mib))
            for workers in options.workers
        }
    finally:
        if not CLUSTER:
            provider().delete("bench")
    print(table(found))
    print(json.dumps(line(found, options.moves, options.state_mib)))


def measured(kubectl: Kubectl, workers: int, moves: int, state_mib: int) -> list[dict[str, float]]:
    """Move a job `moves` times; return what the operator measured of each, in milliseconds.

    Its workers ask for no GPU, so that any number of them finds room.
    """
    command = ["python3", "/app/worker.py", "--steps", "1000000", "--state-mib", str(state_mib)]
    body = job_manifest("moved", WORKER_IMAGE, command, gpus=0, workers=workers)
    body["metadata"]["namespace"] = NAMESPACE
    kubectl.run("create", "namespace", NAMESPACE)
    try:
        with JobLogs(kubectl, NAMESPACE, "moved", CONTAINER, REPOSITORY / "build" / "bench-move") as logs:
            kubectl.apply(body)
            job = Job(kubectl, NAMESPACE, "moved", logs)
            job.until_step(5)
            return [_moved(job, kubectl) for _ in range(moves)]
    finally:
        kubectl.run("delete", "namespace", NAMESPACE, "--timeout=120s")


def _moved(job: Job, kubectl: Kubectl) -> dict[str, float]:
    move(job, kubectl)
    until("every worker to have arrived", lambda: _arrived(job))
    return dict(job.read().status.timings)


def _arrived(job: Job) -> bool:
    status = job.read().status
    return status.ran_incarnation == status.incarnation


if __name__ == "__main__":
    main()
