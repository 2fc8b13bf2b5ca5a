"""Which checkpoints are kept no longer."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ergosphere.api.checkpoint import Checkpoint, CheckpointReason

from .view import JobView


def cutting_now(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint is neither complete nor failed yet."""
    return not checkpoint.ready and not checkpoint.failed


def expired(checkpoint: Checkpoint, now: datetime) -> bool:
    """Whether the checkpoint has been there for as long as it was to be kept."""
    seconds, end = checkpoint.spec.ttl_seconds, checkpoint.status.completion_time
    if seconds is None or end is None or checkpoint.spec.pinned or checkpoint.deleted:
        return False
    return now >= end + timedelta(seconds=seconds)


def surplus(view: JobView, now: datetime) -> Iterator[Checkpoint]:
    """The job's checkpoints that have expired, and the oldest beyond `keep` of those that nobody asked for.

    What is pinned stays, and so does what a job that has not finished goes on from.
    """
    own = [c for c in view.checkpoints if c.status.job_uid == view.job.uid and not c.deleted]
    needed = set() if view.job.finished else _needed(view, own)
    beyond = _beyond(own, view.job.spec.checkpoint.keep)
    return (c for c in own if c.name not in needed and (c.name in beyond or expired(c, now)))


def _beyond(own: list[Checkpoint], keep: int) -> set[str]:
    taken = [c for c in own if not c.spec.pinned and c.spec.reason is not CheckpointReason.REQUESTED]
    complete, failed = [c for c in taken if c.ready], [c for c in taken if c.failed]
    return {c.name for c in (*complete[:-keep], *failed[:-keep])}


def _needed(view: JobView, own: list[Checkpoint]) -> set[str]:
    status = view.job.status
    last = {status.last_checkpoint.name} if status.last_checkpoint else set()
    cut = {status.cut.name} if status.cut else set()
    return last | cut | {c.name for c in own if c.status.id == status.restore_from}
