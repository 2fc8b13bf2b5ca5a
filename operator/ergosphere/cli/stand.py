"""How far what a user asked for has come: what --wait waits for, judged from one object at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from ergosphere.api.checkpoint import FAILED, Checkpoint
from ergosphere.api.meta import condition, is_true
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import RUNNING, SUSPENDED
from ergosphere.controller.conditions import FAILED_CREATE, HELD_UP, MIGRATED, MOVABLE, PLACED, PODS_CREATED
from ergosphere.controller.kube import Object

# Conditions that hold a job back when they are false; some only for these reasons, where there are any.
_BACK = {PLACED: (), PODS_CREATED: (FAILED_CREATE,), RUNNING: HELD_UP, MIGRATED: (), MOVABLE: ()}


@dataclass(frozen=True, slots=True)
class Stand:
    """`text` says how it stands, `failed` why it will never be so."""

    text: str
    done: bool = False
    failed: str = ""


Judge = Callable[[Object], Stand]


def saved(body: Object) -> Stand:
    """A checkpoint on its way into the store."""
    checkpoint = Checkpoint.parse(body)
    if checkpoint.failed:
        why = condition(checkpoint.status.conditions, FAILED)
        return Stand("Failed", failed=f"{why.reason}: {why.message}" if why else "it failed")
    if checkpoint.deleted:
        return Stand("Deleting", failed="it was deleted")
    return Stand(str(checkpoint.status.phase or "Pending"), done=checkpoint.ready)


def suspended(body: Object) -> Stand:
    """A job on its way off its nodes."""
    job = TrainingJob.parse(body)
    if not job.spec.suspend:
        return Stand(phase(job), failed="somebody has resumed it meanwhile")
    return _living(job) or Stand(phase(job), done=is_true(job.status.conditions, SUSPENDED))


def running(body: Object) -> Stand:
    """A job on its way to run."""
    job = TrainingJob.parse(body)
    if job.spec.suspend:
        return Stand(phase(job), failed="somebody has suspended it meanwhile")
    return _living(job) or Stand(phase(job), done=runs(job))


def moved(incarnation: int, nodes: frozenset[str]) -> Judge:
    """A job of that incarnation on its way to other nodes: to those, where there are any."""

    def judge(body: Object) -> Stand:
        job = TrainingJob.parse(body)
        wish = job.spec.migration
        if job.status.incarnation <= incarnation and (wish is None or wish.incarnation != incarnation):
            return Stand(phase(job), failed="somebody has taken the wish back meanwhile")
        ended = _living(job)
        if ended or job.status.incarnation <= incarnation or not runs(job):
            return ended or Stand(phase(job))
        there = {p.node for p in job.status.placement}
        if nodes and not there <= nodes:
            return Stand(phase(job), failed=f"it left, and went on at {job.status.nodes} for another reason")
        return Stand(phase(job), done=True)

    return judge


def runs(job: TrainingJob) -> bool:
    """Whether every worker of the present incarnation was seen to run and no cut is under way."""
    status = job.status
    return bool(status.placement) and status.ran_incarnation == status.incarnation and status.cut is None


def phase(job: TrainingJob) -> str:
    """The phase, and why it is not another one where something is waited for."""
    text = str(job.status.phase or "Pending")
    reason = waits(job)
    return f"{text}: {reason}" if reason else text


def waits(job: TrainingJob) -> str:
    """Why the job is not placed, does not start or cannot move; empty where it waits for nothing."""
    if job.finished or job.spec.suspend:
        return ""
    for kind, reasons in _BACK.items():
        found = condition(job.status.conditions, kind)
        if found and found.status == "False" and (not reasons or found.reason in reasons):
            return f"{found.reason}: {found.message}" if found.message else found.reason
    return ""


def _living(job: TrainingJob) -> Stand | None:
    """What a job that has ended, or is about to be gone, comes to."""
    if job.deleted:
        return Stand("Deleting", failed="it is being deleted")
    if job.finished:
        return Stand(str(job.status.phase), failed=f"it has ended: {job.status.phase}")
    return None
