"""Checkpoints on demand, as starting points, and when something is wrong with them."""

from ergosphere.api.meta import condition
from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import StartDigits, StartJob
from scenario.kubectl import Kubectl
from scenario.losses import first_difference, parse
from scenario.store_damage import truncate_packs_since


def test_a_new_job_starts_from_a_checkpoint_of_a_running_one(start_digits: StartDigits) -> None:
    job = start_digits("original", steps=400)
    job.until_step(60)
    job.checkpoint("at-sixty")
    taken = job.until_checkpoint("at-sixty")
    assert taken.ready
    assert taken.status.bytes
    assert taken.status.bytes > 0
    assert taken.status.stall_ms is not None
    branch = start_digits("branch", steps=400, restoreFrom={"name": "at-sixty"})
    job.until_phase(JobPhase.SUCCEEDED)
    branch.until_phase(JobPhase.SUCCEEDED)
    whole, tail = job.steps(), branch.steps()
    assert tail[0].number > 0
    assert first_difference(tail, whole[tail[0].number :]) == ""


def test_a_program_that_cannot_be_dumped_runs_on(start: StartJob) -> None:
    job = start("holds-a-socket", steps=100, options=["--undumpable"])
    job.until_step(10)
    job.checkpoint("impossible")
    refused = job.until_checkpoint("impossible")
    assert refused.failed
    said = condition(refused.status.conditions, "Failed")
    assert said
    assert "socket" in said.message.lower()
    job.until_phase(JobPhase.SUCCEEDED)
    assert [step.number for step in job.steps()] == list(range(100))
    assert len(job.logs.pieces()) == 1


def test_a_truncated_checkpoint_is_refused_and_the_one_before_is_used(
    start: StartJob, kubectl: Kubectl
) -> None:
    job = start("damaged", steps=200)
    job.until_step(20)
    job.checkpoint("sound")
    sound = job.until_checkpoint("sound")
    assert sound.ready
    assert sound.status.completion_time
    job.until_step(60)
    job.patch({"suspend": True})
    job.until_phase(JobPhase.SUSPENDED)
    assert truncate_packs_since(kubectl, job.namespace, sound.status.completion_time)
    job.patch({"suspend": False})
    job.until_phase(JobPhase.SUCCEEDED, timeout=180)
    first, refused, second = (parse(text) for text in job.logs.finish())
    assert refused == []
    assert 20 <= second[0].number < 60
    assert first[-1].number >= 60
    assert first_difference(second[: len(first) - second[0].number], first[second[0].number :]) == ""
    assert second[-1].number == 199
    assert "intact" in job.output()
    assert "CheckpointCorrupt" in job.events()
