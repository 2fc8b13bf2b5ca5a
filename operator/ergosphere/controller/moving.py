"""What it costs to move a job: as much as its last move did, if it was moved before."""

from ergosphere.api.training_job import TrainingJob
from ergosphere.scheduling.model import Moving

from .node import amount

_COPIED = ("dump", "files", "store", "fetch", "restore_files", "restore")
"""The parts of a move that take longer the more there is to move."""
_WAITED = "place"
"""What a job that was moved waited for room is no cost of moving it."""


def moving(job: TrainingJob) -> Moving:
    """The cost of the job's next move, from its last checkpoint and its last move as its status has them.

    A job that was never saved is taken to be as large as the memory that its workers ask for.
    """
    last = job.status.last_checkpoint
    if last is None:
        return Moving(bytes=_asked_bytes(job))
    saved_at, parts = last.time.timestamp(), job.status.timings
    copying_s = sum(parts.get(part, 0.0) for part in _COPIED) / 1000
    if "fetch" not in parts or not last.bytes or not copying_s:
        return Moving(bytes=last.bytes, saved_at=saved_at)
    overhead_s = (sum(parts.values()) - parts.get(_WAITED, 0.0)) / 1000 - copying_s
    return Moving(last.bytes, 2 * last.bytes / copying_s, overhead_s, saved_at)


def _asked_bytes(job: TrainingJob) -> int:
    asked = (c.resources.limits | c.resources.requests for c in job.spec.template.spec.containers)
    return job.spec.workers * sum(amount(each, "memory") for each in asked)
