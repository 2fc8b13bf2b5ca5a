"""Jobs that save their own state: asked by a signal, moved as a directory, back in another number."""

import re

from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import Job, StartElastic
from scenario.kubectl import Kubectl
from scenario.moves import move
from scenario.waiting import until

STEP = re.compile(r"^step=(\d+) ", re.MULTILINE)


def test_a_job_that_saves_its_own_state_is_resized_moved_and_saved_without_losing_a_step(
    start_elastic: StartElastic, kubectl: Kubectl
) -> None:
    job = start_elastic("stretches", workers=2, steps=1500)
    taken(job, 10)
    for workers in (3, 1):
        resized(job, workers)
    job.checkpoint("where-it-is")
    assert job.until_checkpoint("where-it-is").ready
    taken(job, 10)
    resized(job, 2)
    move(job, kubectl)
    done = job.until_phase(JobPhase.SUCCEEDED, timeout=300)
    job.output()
    assert steps(job) == list(range(1500))
    assert (done.status.failures, done.status.lost_seconds) == (0, None)


def resized(job: Job, workers: int) -> None:
    """Have the job's number of workers changed, and wait until all of them train."""
    before = job.read().status.incarnation
    job.patch({"workers": workers})
    job.until_incarnation(before + 1, timeout=180)
    assert len(job.nodes()) == workers
    taken(job, 10)


def taken(job: Job, more: int) -> None:
    """Wait until the job has taken that many more steps."""
    wanted = len(steps(job)) + more
    until(f"job {job.name} to take {more} more steps", lambda: len(steps(job)) >= wanted, timeout=120)


def steps(job: Job) -> list[int]:
    """The steps that the first worker has printed so far, over all its pods."""
    return [int(number) for rank, text in job.logs.by_rank() if rank == 0 for number in STEP.findall(text)]
