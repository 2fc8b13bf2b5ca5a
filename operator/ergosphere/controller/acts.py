"""What to do for a job now: what should exist and be told, less what is so already.

Every act may be repeated: objects have deterministic names, commands are idempotent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ergosphere.api.agent import Command, Failure, Go, Phase, Renew
from ergosphere.api.checkpoint import Checkpoint, CheckpointReason
from ergosphere.api.training_job_status import CutPurpose
from ergosphere.workload.pod import Worker

from . import barrier, blame, cutting, record, settling, starting
from .retention import cutting_now, surplus
from .view import JobView
from .worker import WorkerPod


@dataclass(frozen=True, slots=True)
class CreatePods:
    """Create these workers, and before them the secret and the budget that they need."""

    workers: tuple[Worker, ...]


@dataclass(frozen=True, slots=True)
class DeletePods:
    """Delete pods that no placement wants; at once when the job goes on without what runs in them."""

    pods: tuple[WorkerPod, ...]
    at_once: bool


@dataclass(frozen=True, slots=True)
class DeleteBudget:
    """Delete the job's PodDisruptionBudget, unless that was done: it has no pods to hold any more."""


@dataclass(frozen=True, slots=True)
class CreateCheckpoint:
    """Create the object of a cut that the operator makes."""

    name: str
    reason: CheckpointReason


@dataclass(frozen=True, slots=True)
class NoteAsked:
    """Write down of which job a checkpoint was asked: no other job of that name is cut for it."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class NoteCut:
    """Write down how a cut stands: begun (no verdict), committed or failed."""

    checkpoint: Checkpoint
    verdict: barrier.Committed | barrier.Failed | None


@dataclass(frozen=True, slots=True)
class NoteUnusable:
    """Write down that a checkpoint cannot be restored."""

    checkpoint: Checkpoint
    failure: Failure


@dataclass(frozen=True, slots=True)
class NoteOwner:
    """Let a checkpoint go with the job, or outlive it: the job's policy has changed."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class DeleteCheckpoint:
    """Delete a checkpoint that the retention does not keep."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete the job: it finished long enough ago."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell a worker's agent something."""

    pod: WorkerPod
    command: Command


@dataclass(frozen=True, slots=True)
class Extend:
    """Extend the lease of a worker's cut, if that was not done a moment ago."""

    pod: WorkerPod
    command: Renew


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a worker's agent whether it is there."""

    pod: WorkerPod


AT_ONCE_SECONDS = 1
"""The grace period of a pod whose program is of no more use: 0 would not wait for its end at all."""

Act = (
    CreatePods
    | DeletePods
    | DeleteBudget
    | CreateCheckpoint
    | NoteAsked
    | NoteCut
    | NoteUnusable
    | NoteOwner
    | DeleteCheckpoint
    | DeleteJob
    | Tell
    | Extend
    | Ask
)


def acts(view: JobView, lease_seconds: float, now: datetime) -> tuple[Act, ...]:
    """What to do now for a job whose status is written down."""
    if view.job.deleted:
        return ()
    return (
        *_pods(view),
        *_cut(view, lease_seconds),
        *_go(view),
        *(Ask(pod) for pod in blame.unheard(view) if pod.ip),
        *_unusable(view),
        *_asked(view),
        *_misowned(view),
        *_refused(view),
        *_abandoned(view),
        *(DeleteCheckpoint(checkpoint.name) for checkpoint in surplus(view, now)),
        *_expiry(view, now),
    )


def _pods(view: JobView) -> Iterator[Act]:
    status = view.job.status
    # The scheduler would refuse a worker whose GPUs a predecessor still holds, and come back to it later.
    occupied = {p.node for p in view.predecessors}
    missing = tuple(
        Worker(p.rank, len(status.placement), status.incarnation, p.node, status.restore_from)
        for p in status.placement
        if p.rank not in view.workers and p.node not in occupied
    )
    if missing:
        yield CreatePods(missing)
    wanted = {pod.uid for pod in view.workers.values()}
    kept = wanted | _to_be_read(view)
    unwanted = [p for p in view.pods if p.uid not in kept]
    at_once = not view.job.finished
    slow = {p.uid for p in unwanted if p.deleting and not (at_once and p.grace_seconds > AT_ONCE_SECONDS)}
    due = tuple(p for p in unwanted if p.uid not in slow)
    if due:
        yield DeletePods(due, at_once)
    if not status.placement and status.incarnation:
        yield DeleteBudget()


def _to_be_read(view: JobView) -> set[str]:
    """The pods that are kept for their logs, by uid: of a job's end, as a Job's are, or of its last failure.

    One that has not quite ended keeps no pod that comes after it waiting.
    """
    job, failed = view.job, {p.uid for p in blame.last_failed(view)}
    over = (p for p in view.pods if p.over or (p.ending and not job.status.placement))
    last = job.status.incarnation if job.finished else None
    return {p.uid for p in over if p.incarnation == last or p.uid in failed}


def _cut(view: JobView, lease_seconds: float) -> Iterator[Act]:
    cut = view.job.status.cut
    if cut is None:
        return
    checkpoint = settling.current(view)
    if checkpoint is None:
        yield CreateCheckpoint(cut.name, cut.reason)
        return
    if not checkpoint.status.id:
        yield NoteCut(checkpoint, None)
        return
    state = barrier.Cut(
        id=checkpoint.uid,
        ranks=len(view.job.status.placement),
        leaving=cut.purpose is CutPurpose.LEAVE,
        recorded=checkpoint.ready,
        lease_seconds=lease_seconds,
    )
    silent = {rank for rank, pod in view.workers.items() if pod.uid in view.silent}
    orders = barrier.advance(state, view.ranks, silent)
    yield from (Tell(view.workers[rank], command) for rank, command in sorted(orders.commands.items()))
    yield from (Extend(view.workers[rank], renew) for rank, renew in sorted(orders.renewals.items()))
    if isinstance(orders.verdict, barrier.Committed | barrier.Failed):
        yield NoteCut(checkpoint, orders.verdict)


def _go(view: JobView) -> Iterator[Act]:
    """Start or resume the gang once every rank is ready for it: the second barrier of a restore.

    What is left of an earlier incarnation must have ended by then.
    """
    placement = view.job.status.placement
    ready = (Phase.WAITING, Phase.RESTORED, Phase.RUNNING)
    if not placement or view.job.status.cut or len(view.ranks) < len(placement) or view.predecessors:
        return
    if all(r.phase in ready for r in view.ranks.values()):
        go = Go(peers={rank: view.workers[rank].ip for rank in sorted(view.workers)})
        idle = [rank for rank, r in sorted(view.ranks.items()) if r.phase is not Phase.RUNNING]
        yield from (Tell(view.workers[rank], go) for rank in idle)


def _unusable(view: JobView) -> Iterator[Act]:
    if found := starting.unusable(view):
        yield NoteUnusable(*found)


def _asked(view: JobView) -> Iterator[Act]:
    """The cut under way notes the job itself, and the job's end fails the checkpoint."""
    status = view.job.status
    cut = status.cut.name if status.cut else ""
    if not view.job.finished:
        yield from (NoteAsked(c) for c in cutting.wanted(view) if not c.status.job_uid and c.name != cut)


def _misowned(view: JobView) -> Iterator[Act]:
    """Until its cut has begun, a checkpoint has no data, and then it is given its owner anyway."""
    yield from (NoteOwner(c) for c in _begun(view) if not record.goes_as_told(view.job, c))


def _refused(view: JobView) -> Iterator[Act]:
    """A checkpoint that was asked for and can never be made, for its job has ended."""
    if view.job.finished:
        failure = Failure(reason="JobFinished", message="the job ended before it could be cut")
        yield from (NoteCut(c, barrier.Failed(failure)) for c in cutting.wanted(view))


def _abandoned(view: JobView) -> Iterator[Act]:
    """A checkpoint whose cut was begun and is under way no more: the job went on, or ended, without it."""
    cut = view.job.status.cut
    failure = Failure(reason="CutAbandoned", message="the job was ended or lost in the middle of the cut")
    for checkpoint in _begun(view):
        if cutting_now(checkpoint) and (cut is None or cut.name != checkpoint.name):
            yield NoteCut(checkpoint, barrier.Failed(failure))


def _begun(view: JobView) -> Iterator[Checkpoint]:
    """The living checkpoints of the job whose cut has begun, or is over."""
    own = (c for c in view.checkpoints if c.status.job_uid == view.job.uid)
    return (c for c in own if c.status.id and not c.deleted)


def _expiry(view: JobView, now: datetime) -> Iterator[Act]:
    seconds, end = view.job.spec.ttl_seconds_after_finished, view.job.status.completion_time
    if view.job.finished and seconds is not None and end and now >= end + timedelta(seconds=seconds):
        yield DeleteJob()
