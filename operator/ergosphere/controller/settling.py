"""How a cut ends, and what it leaves behind in the job's status."""

from datetime import datetime

from ergosphere.api.agent import Phase
from ergosphere.api.checkpoint import FAILED, Checkpoint
from ergosphere.api.meta import condition
from ergosphere.api.training_job_status import CutPurpose, LastCheckpoint, TrainingJobStatus

from . import cutting
from .ending import silent, who_ended
from .happening import Happening
from .view import JobView


def has_left(view: JobView) -> bool:
    """Whether the cut is recorded and every rank has ended with it."""
    checkpoint = current(view)
    if checkpoint is None or not checkpoint.ready or not _leaving(view):
        return False
    ranks = [p.rank for p in view.job.status.placement]
    return all(_gone(view, rank, checkpoint.uid) for rank in ranks)


def is_leaving(view: JobView) -> bool:
    """Whether the cut is recorded, and those ranks that have not ended with it yet are about to."""
    checkpoint = current(view)
    if checkpoint is None or not checkpoint.ready or not _leaving(view):
        return False
    frozen = {rank for rank, report in view.ranks.items() if report.phase is Phase.FROZEN}
    return all(p.rank in frozen or _gone(view, p.rank, checkpoint.uid) for p in view.job.status.placement)


def after_leaving(view: JobView, now: datetime) -> TrainingJobStatus:
    """The status of a job that has left its nodes."""
    checkpoint = current(view)
    parts = dict(checkpoint.status.parts_ms) if checkpoint else {}
    return _remembered(view.job.status, checkpoint).model_copy(
        update={"placement": [], "cut": None, "left_time": now, "timings": parts, "not_before": None}
    )


def settled(view: JobView, now: datetime) -> cutting.Change | None:
    """The status after a cut that failed, or after which the job runs on; None while it is under way."""
    status, checkpoint = view.job.status, current(view)
    if status.cut is None or checkpoint is None:
        return None
    if checkpoint.failed:
        return _failed(status, checkpoint, now)
    if checkpoint.status.id and not checkpoint.ready and (gone := silent(view)):
        message = f"checkpoint {checkpoint.name} failed: {who_ended(gone)} before it could be cut"
        after = status.model_copy(update={"cut": None, "not_before": cutting.again(now)})
        return after, (Happening("ProgramEnded", message, warning=True),)
    if checkpoint.ready and not _leaving(view):
        return _remembered(status, checkpoint).model_copy(update={"cut": None}), ()
    if checkpoint.ready and _ran_on(view, checkpoint.uid):
        message = f"the job ran on after checkpoint {checkpoint.name}: its lease ended before it left"
        after = _remembered(status, checkpoint).model_copy(update={"cut": None})
        return after, (Happening("LeaseExpired", message, warning=True),)
    return None


def current(view: JobView) -> Checkpoint | None:
    """The checkpoint of the cut under way, once its object exists."""
    cut = view.job.status.cut
    return view.checkpoint(cut.name) if cut else None


def _leaving(view: JobView) -> bool:
    cut = view.job.status.cut
    return cut is not None and cut.purpose is CutPurpose.LEAVE


def _gone(view: JobView, rank: int, cut: str) -> bool:
    pod, report = view.workers.get(rank), view.ranks.get(rank)
    return pod is None or pod.left == cut or (report is not None and report.phase is Phase.LEFT)


def _ran_on(view: JobView, cut: str) -> bool:
    """Whether no rank has left, and some rank has given the cut up."""
    gone = any(_gone(view, p.rank, cut) for p in view.job.status.placement)
    runs = any(r.phase is Phase.RUNNING for r in view.ranks.values())
    return runs and not gone


def _failed(status: TrainingJobStatus, checkpoint: Checkpoint, now: datetime) -> cutting.Change:
    why = condition(checkpoint.status.conditions, FAILED)
    reason, message = (why.reason, why.message) if why else ("CutFailed", "")
    # A lease ends when the operator was away: it is back, and nothing speaks against trying again at once.
    retry = None if reason == "LeaseExpired" else cutting.again(now)
    after = status.model_copy(update={"cut": None, "not_before": retry})
    return after, (Happening(reason, f"checkpoint {checkpoint.name} failed: {message}", warning=True),)


def _remembered(status: TrainingJobStatus, checkpoint: Checkpoint | None) -> TrainingJobStatus:
    if checkpoint is None or checkpoint.status.start_time is None:
        return status
    made = checkpoint.status
    last = LastCheckpoint(
        name=checkpoint.name,
        time=checkpoint.status.start_time,
        bytes=made.bytes or 0,
        new_bytes=made.new_bytes or 0,
        stall_ms=made.stall_ms,
    )
    return status.model_copy(update={"last_checkpoint": last, "platform": made.platform})
