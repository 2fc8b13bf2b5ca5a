"""How a job is placed, started and seen to run."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ergosphere.api.agent import Failure, Phase
from ergosphere.api.checkpoint import Checkpoint, Images, Platform
from ergosphere.api.training_job_spec import CheckpointMode
from ergosphere.api.training_job_status import TrainingJobStatus, WorkerPlacement
from ergosphere.scheduling.model import Action, Start

from .ending import arrived
from .happening import Happening
from .view import JobView

# The scheduler may need a moment to see that the GPUs of the pods before are free.
_UNSCHEDULABLE_SECONDS = 15
_CORRUPT = ("CheckpointCorrupt", "CheckpointMissing")
# How often one checkpoint is tried before the one before it is.
_ATTEMPTS = 3

Change = tuple[TrainingJobStatus, tuple[Happening, ...]]


def start(view: JobView, decision: Action | None, now: datetime) -> Change | None:
    """Place a waiting job as the planner decided; one that is being cut is told where it will go on."""
    status = view.job.status
    if not isinstance(decision, Start) or view.job.spec.suspend:
        return None
    if status.cut:
        places = [WorkerPlacement(rank=rank, node=node) for rank, node in enumerate(decision.placement)]
        return status.model_copy(update={"cut": status.cut.model_copy(update={"target": places})}), ()
    if status.placement or status.too_early(now):
        return None
    after = placed(view, status, decision.placement, now)
    return after, (Happening(decision.reason, decision.message), announcement(after))


def placed(
    view: JobView, status: TrainingJobStatus, nodes: Sequence[str], now: datetime
) -> TrainingJobStatus:
    """The status of a job given `nodes`, in rank order: a new incarnation, from the newest checkpoint."""
    source = newest(view)
    place = {"place": _milliseconds(status.left_time, now)} if status.left_time else {}
    return status.model_copy(
        update={
            "incarnation": status.incarnation + 1,
            "placement": [WorkerPlacement(rank=rank, node=node) for rank, node in enumerate(nodes)],
            "cut": None,
            "restore_from": source.status.id if source else "",
            "restore_failures": _failures(status, source),
            "images": _images(view, source),
            "restarts": status.restarts + (1 if status.incarnation else 0),
            "start_time": status.start_time or now,
            "placed_time": now,
            "not_before": None,
            "timings": status.timings | place,
            "conditions": [c for c in status.conditions if c.type != "PodsCreated"],
        }
    )


def _failures(status: TrainingJobStatus, source: Checkpoint | None) -> int:
    same = source is not None and source.status.id == status.restore_from
    return status.restore_failures if same else 0


def _images(view: JobView, source: Checkpoint | None) -> Images:
    """The images to start with: of another job's checkpoint, only that which its processes live on in."""
    images = view.job.status.images
    if source is None:
        return images
    if source.status.job_uid == view.job.uid:
        return source.status.images
    main = view.job.spec.main_container().name
    frozen = _transparent(view) and main in source.status.images
    return images | {main: source.status.images[main]} if frozen else images


def _transparent(view: JobView) -> bool:
    return view.job.spec.checkpoint.mode is CheckpointMode.TRANSPARENT


def required(view: JobView) -> Platform | None:
    """What a node must offer for the job to start there; None where every node will do."""
    if not _transparent(view):
        return None
    source = newest(view)
    return view.job.status.platform or (source.status.platform if source else None)


def newest(view: JobView) -> Checkpoint | None:
    """The checkpoint that the job goes on from: its own newest, or else the one that its spec names."""
    own = [c for c in view.checkpoints if c.ready and c.status.job_uid == view.job.uid]
    if own:
        return max(own, key=_age)
    wanted = view.job.spec.restore_from
    named = view.checkpoint(wanted.name) if wanted else None
    return named if named and named.ready else None


def needs(view: JobView, checkpoint: Checkpoint) -> bool:
    """Whether the job goes on from this checkpoint, so that its data must not be deleted yet.

    A job that runs lets go of its own, and of another's that it was started from once it has one of its own:
    without any, its next failure would leave it nothing to begin with.
    """
    job, status = view.job, view.job.status
    if job.finished or job.deleted:
        return False
    if status.cut and status.cut.name == checkpoint.name:
        return True
    starts = status.placement and status.ran_incarnation < status.incarnation
    if starts and checkpoint.status.id == status.restore_from:
        return True
    source = newest(view)
    if source is None or source.name != checkpoint.name:
        return False
    return not status.placement or source.status.job_uid != job.uid


def awaits_checkpoint(view: JobView) -> bool:
    """Whether the job must not start yet: the checkpoint that its spec names is not there."""
    return view.job.spec.restore_from is not None and newest(view) is None


def announcement(status: TrainingJobStatus) -> Happening:
    """The Event of a placement."""
    where = ", ".join(sorted({p.node for p in status.placement}))
    how = f"from checkpoint {status.restore_from}" if status.restore_from else "from the beginning"
    return Happening("Placed", f"incarnation {status.incarnation} starts on {where}, {how}")


def unfit(view: JobView, now: datetime) -> tuple[str, str] | None:
    """A node that cannot take its worker, and why: the scheduler, its runtime or the agent says so."""
    status = view.job.status
    nodes = {p.rank: p.node for p in status.placement}
    for rank, report in view.ranks.items():
        if report.phase is Phase.FAILED and report.failure and report.failure.reason == "IncompatibleNode":
            return nodes[rank], report.failure.message
    unstarted = next((p for p in view.workers.values() if p.unstarted and not p.deleting), None)
    if unstarted:
        return unstarted.node, unstarted.unstarted
    refused = next((p for p in view.workers.values() if p.unschedulable and not p.node), None)
    if refused is None or refused.created is None:
        return None
    patience = timedelta(seconds=_UNSCHEDULABLE_SECONDS)
    return (nodes[refused.rank], refused.unschedulable) if now >= refused.created + patience else None


def failure(view: JobView) -> Failure | None:
    """Why a rank could not be started."""
    return next((r.failure for r in view.ranks.values() if r.phase is Phase.FAILED and r.failure), None)


def unusable(view: JobView) -> tuple[Checkpoint, Failure] | None:
    """A checkpoint that is called complete and is not to be started from again, and why.

    An agent found it damaged; or it could not be restored several times, and there is one before it.
    """
    why = failure(view)
    source = view.job.status.restore_from
    checkpoint = next((c for c in view.checkpoints if c.ready and c.status.id == source), None)
    if why is None or checkpoint is None or why.reason == "IncompatibleNode":
        return None
    damaged = why.reason in _CORRUPT
    if damaged or (view.job.status.restore_failures + 1 >= _ATTEMPTS and _older(view, checkpoint)):
        return checkpoint, why
    return None


def _older(view: JobView, checkpoint: Checkpoint) -> bool:
    """Whether the job has another checkpoint, from before this one."""
    own = (c for c in view.checkpoints if c.ready and c.status.job_uid == view.job.uid)
    return any(_age(c) < _age(checkpoint) for c in own)


def _age(checkpoint: Checkpoint) -> tuple[datetime, str]:
    return checkpoint.status.start_time or datetime.min, checkpoint.name


def arrival(view: JobView, now: datetime) -> TrainingJobStatus | None:
    """The status of a job that runs for the first time since it was placed; None if that is known already."""
    status = view.job.status
    if not arrived(view) or status.ran_incarnation == status.incarnation:
        return None
    seen = {name: ref for p in view.workers.values() for name, ref in pinned(p.images).items()}
    restored: dict[str, float] = {}
    for report in view.ranks.values():
        for part, ms in report.restore_ms.items():
            restored[part] = max(ms, restored.get(part, 0.0))
    return status.model_copy(
        update={
            "images": seen | status.images,
            "unfit_nodes": [],
            "restore_failures": 0,
            "ran_incarnation": status.incarnation,
            "timings": _timings(status, restored, now),
        }
    )


def _timings(status: TrainingJobStatus, restored: dict[str, float], now: datetime) -> dict[str, float]:
    if not status.restore_from or status.left_time is None or status.placed_time is None:
        return {}
    since_placed = _milliseconds(status.placed_time, now)
    parts = status.timings | {f"{'restore_files' if k == 'files' else k}": v for k, v in restored.items()}
    return parts | {"start": max(0.0, since_placed - sum(restored.values()))}


def pinned(images: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The images by container that have a digest in a repository; others cannot be named exactly."""
    return {name: ref.removeprefix("docker-pullable://") for name, ref in images if "@sha256:" in ref}


def _milliseconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds() * 1000)
