"""When a job is cut: who wants it, and whether it can be done now."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ergosphere.api.agent import Phase
from ergosphere.api.checkpoint import Checkpoint, CheckpointReason
from ergosphere.api.meta import condition
from ergosphere.api.training_job_spec import CheckpointMode
from ergosphere.api.training_job_status import RUNNING, Cut, CutPurpose, TrainingJobStatus, WorkerPlacement
from ergosphere.scheduling.model import Action, Migrate, Preempt, Resize
from ergosphere.workload.names import cut_name

from .ending import arrived, ends_together, finished, who_ended
from .happening import Happening
from .starting import newest
from .view import JobView

RETRY_SECONDS = 60
# Cuts that the planner wants; it says why.
_PLANNED = (
    CheckpointReason.PREEMPTION,
    CheckpointReason.MIGRATION,
    CheckpointReason.DRAIN,
    CheckpointReason.RESIZE,
)

# What is asked for once, and what has no time to wait, does not wait out an earlier cut's failure.
_URGENT = (CheckpointReason.EVICTION, CheckpointReason.REQUESTED)

Change = tuple[TrainingJobStatus, tuple[Happening, ...]]


def begin(view: JobView, decision: Action | None, now: datetime) -> Change | None:
    """Begin the most pressing cut that somebody wants, if the job can be cut now."""
    status = view.job.status
    if not status.placement or status.cut:
        return None
    wish = _leave(view, decision)
    if wish and idle(view):
        unplaced = status.model_copy(update={"placement": []})
        return unplaced, (Happening(wish[0].value, "the job had not begun to run and leaves without a cut"),)
    wish = wish or _keep(view, now)
    if wish and wish[0] is not CheckpointReason.REQUESTED and finished(view):
        return _too_late(view, wish[0], now)
    if wish and wish[0] not in _URGENT and status.too_early(now):
        return None
    why = decision.message if decision and wish and wish[0] in _PLANNED else ""
    return _begun(status, *wish, view, why) if wish and arrived(view) else None


def _too_late(view: JobView, reason: CheckpointReason, now: datetime) -> Change | None:
    """What becomes of the wish to cut a gang some of whose ranks have finished: it is cut as a whole or not.

    One that is suspended leaves all the same. Others run on, and say now and then that they are not cut.
    """
    status, who = view.job.status, who_ended(finished(view))
    if ends_together(view, now):
        return None
    if reason is CheckpointReason.SUSPEND:
        return _left_uncut(view, who, now)
    if status.too_early(now):
        return None
    message = f"{who}, so the job cannot be cut ({reason.value})"
    after = status.model_copy(update={"not_before": again(now)})
    return after, (Happening("ProgramEnded", message, warning=True),)


def _left_uncut(view: JobView, who: str, now: datetime) -> Change:
    source = newest(view)
    where = f"checkpoint {source.name}" if source else "the beginning"
    lost = lost_seconds(view.job.status, now)
    message = f"{who}, so the job leaves without a cut: it will go on from {where}"
    after = view.job.status.model_copy(update={"placement": [], "not_before": None, "lost_seconds": lost})
    return after, (Happening("LeftUncut", message, warning=True),)


def again(now: datetime) -> datetime:
    """When the next cut may be tried after one that came to nothing."""
    return now + timedelta(seconds=RETRY_SECONDS)


def idle(view: JobView) -> bool:
    """Whether no rank's program has run on in this incarnation, so that nothing is lost without a cut.

    A pod that runs and whose agent has not been heard may well train: it does not count as idle.
    """
    before = (Phase.BOOTING, Phase.FETCHING, Phase.WAITING, Phase.RESTORED)
    return all(
        view.ranks[rank].phase in before if rank in view.ranks else pod.phase == "Pending"
        for rank, pod in view.workers.items()
    )


def _leave(
    view: JobView, decision: Action | None
) -> tuple[CheckpointReason, CutPurpose, Sequence[str]] | None:
    if any(p.deleting for p in view.workers.values()) or any(r.terminating for r in view.ranks.values()):
        return CheckpointReason.EVICTION, CutPurpose.LEAVE, ()
    if view.job.spec.suspend:
        return CheckpointReason.SUSPEND, CutPurpose.LEAVE, ()
    if isinstance(decision, Preempt) and decision.cut:
        return CheckpointReason.PREEMPTION, CutPurpose.LEAVE, ()
    if isinstance(decision, Migrate | Resize):
        return _moving(decision), CutPurpose.LEAVE, decision.placement
    return None


def _moving(decision: Migrate | Resize) -> CheckpointReason:
    if decision.reason == "NodeCordoned":
        return CheckpointReason.DRAIN
    return CheckpointReason.RESIZE if isinstance(decision, Resize) else CheckpointReason.MIGRATION


def _keep(view: JobView, now: datetime) -> tuple[CheckpointReason, CutPurpose, Sequence[str]] | None:
    if wanted(view):
        return CheckpointReason.REQUESTED, *_staying(view)
    if _interval_over(view, now):
        return CheckpointReason.INTERVAL, *_staying(view)
    return None


def _interval_over(view: JobView, now: datetime) -> bool:
    """Whether the job has run for its interval since it was saved, or since it runs.

    However short that is, saving takes half of the time at most: a job that is always being cut gets nowhere.
    """
    status, seconds = view.job.status, view.job.spec.checkpoint.interval_seconds
    running = condition(status.conditions, RUNNING)
    times = (secured(status), running.last_transition_time if running else None)
    since = max((t for t in times if t), default=None)
    if not seconds or since is None:
        return False
    return now >= since + max(timedelta(seconds=seconds), 2 * _last_took(view))


def _last_took(view: JobView) -> timedelta:
    """From the last cut until it was stored and recorded."""
    last = view.job.status.last_checkpoint
    checkpoint = view.checkpoint(last.name) if last else None
    if last is None or checkpoint is None or checkpoint.status.completion_time is None:
        return timedelta()
    return checkpoint.status.completion_time - last.time


def _staying(view: JobView) -> tuple[CutPurpose, Sequence[str]]:
    """How a job stays where it is. Workers that have saved their own state go on from that of all of them.

    It is together in the checkpoint alone, so such a gang leaves and comes back to the same nodes.
    """
    placement = view.job.status.placement
    if view.job.spec.checkpoint.mode is CheckpointMode.COOPERATIVE and len(placement) > 1:
        return CutPurpose.LEAVE, [p.node for p in placement]
    return CutPurpose.KEEP, ()


def secured(status: TrainingJobStatus) -> datetime | None:
    """Since when the job's work would be lost with its pods: its last checkpoint, or its present start."""
    times = (status.placed_time, status.last_checkpoint.time if status.last_checkpoint else None)
    return max((t for t in times if t), default=None)


def lost_seconds(status: TrainingJobStatus, now: datetime) -> float:
    """The work that is lost with the job's pods now, and was before, in seconds."""
    since = secured(status) or now
    return (status.lost_seconds or 0.0) + max(0.0, (now - since).total_seconds())


def wanted(view: JobView) -> list[Checkpoint]:
    """The checkpoints of this job that were asked for and wait for their cut, oldest first.

    Those asked of an earlier job of the same name are not this job's.
    """
    waiting = (c for c in view.checkpoints if requested(c) and c.spec.job_name == view.job.name)
    return [c for c in waiting if c.status.job_uid in ("", view.job.uid)]


def requested(checkpoint: Checkpoint) -> bool:
    """Whether a user's checkpoint still waits for its cut, which is begun once."""
    wanted = checkpoint.spec.reason is CheckpointReason.REQUESTED and not checkpoint.deleted
    return wanted and not checkpoint.status.id and not checkpoint.ready and not checkpoint.failed


def _begun(
    status: TrainingJobStatus,
    reason: CheckpointReason,
    purpose: CutPurpose,
    target: Sequence[str],
    view: JobView,
    why: str,
) -> Change:
    number = status.cuts + 1
    name = cut_name(view.job.name, view.job.uid, number)
    if reason is CheckpointReason.REQUESTED:
        number, name = status.cuts, wanted(view)[0].name
    places = [WorkerPlacement(rank=rank, node=node) for rank, node in enumerate(target)]
    cut = Cut(name=name, purpose=purpose, reason=reason, target=places)
    return status.model_copy(update={"cut": cut, "cuts": number}), (
        Happening(
            "Cutting", f"cut begun for checkpoint {name} ({reason.value})" + (f": {why}" if why else "")
        ),
    )
