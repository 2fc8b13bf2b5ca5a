"""Move jobs of several numbers of workers again and again, and tell what each part took.

A gang's freeze is compared with that of as many jobs of one worker, cut at the same moment: on one machine
they share its processors in the same way, so that what is left is what being a gang costs.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.move.freezes import freezes
from bench.move.measures import Measured, line, summary, table
from cluster.__main__ import provider
from cluster.paths import REPOSITORY
from cluster.progress import step
from scenario.joblogs import JobLogs
from scenario.jobs import CONTAINER, Job, job_manifest
from scenario.kubectl import Kubectl
from scenario.moves import move
from scenario.names import WORKER_IMAGE
from scenario.system import WORKER, stand_up
from scenario.waiting import until

CLUSTER = os.environ.get("ERGO_E2E_CLUSTER", "")
NAMESPACE = "bench-move"
BUILD = REPOSITORY / "build" / "bench-move"


def main() -> None:
    """Measure on a cluster of its own, or on the one that ERGO_E2E_CLUSTER names, which is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=5, help="how often the job is moved")
    parser.add_argument("--state-mib", type=int, default=64, help="random bytes in each worker's memory, MiB")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16], help="sizes of the jobs")
    options = parser.parse_args()
    found: dict[int, Measured] = {}
    try:
        kubectl = stand_up(CLUSTER or "bench", WORKER)
        for workers in options.workers:
            with step(f"moving and cutting {workers} worker{'s' * (workers > 1)}"):
                found[workers] = measured(kubectl, workers, options.moves, options.state_mib)
    finally:
        if not CLUSTER:
            provider().delete("bench")
    print(table(found))
    print(json.dumps(line(found, options.moves, options.state_mib)))


def measured(kubectl: Kubectl, workers: int, rounds: int, state_mib: int) -> Measured:
    """Move a job and cut it, `rounds` times each; and cut as many jobs of one worker."""
    with started(kubectl, [workers], state_mib) as (gang,):
        moves = [_moved(gang, kubectl) for _ in range(rounds)]
        together = freezes(kubectl, [gang], rounds)
    with started(kubectl, [1] * workers, state_mib) as jobs:
        return Measured(summary(moves), together, apart=freezes(kubectl, jobs, rounds))


@contextmanager
def started(kubectl: Kubectl, sizes: Sequence[int], state_mib: int) -> Iterator[list[Job]]:
    """Jobs of these numbers of workers, running. They ask for no GPU, so that any number finds room."""
    command = ["python3", "/app/worker.py", "--steps", "1000000", "--state-mib", str(state_mib)]
    kubectl.run("create", "namespace", NAMESPACE)
    try:
        with ExitStack() as stack:
            jobs = []
            for number, workers in enumerate(sizes):
                name = f"job-{number}"
                body = job_manifest(name, WORKER_IMAGE, command, gpus=0, workers=workers)
                body["metadata"]["namespace"] = NAMESPACE
                logs = stack.enter_context(JobLogs(kubectl, NAMESPACE, name, CONTAINER, BUILD / name))
                kubectl.apply(body)
                jobs.append(Job(kubectl, NAMESPACE, name, logs))
            for job in jobs:
                job.until_step(5, timeout=300)
            yield jobs
    finally:
        kubectl.run("delete", "namespace", NAMESPACE, "--timeout=300s")


def _moved(job: Job, kubectl: Kubectl) -> dict[str, float]:
    move(job, kubectl)
    until("every worker to have arrived", lambda: _arrived(job))
    return dict(job.read().status.timings)


def _arrived(job: Job) -> bool:
    status = job.read().status
    return status.ran_incarnation == status.incarnation


if __name__ == "__main__":
    main()
