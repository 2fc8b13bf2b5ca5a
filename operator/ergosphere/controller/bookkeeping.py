"""What a job was given, in its status: the ledger by which promises are judged outlives the operator."""

from datetime import datetime

from ergosphere.api.training_job import MAX_LEDGER, LedgerEntry, TrainingJob, TrainingJobStatus
from ergosphere.scheduling.ledger import Ledger


def ledger(status: TrainingJobStatus) -> Ledger:
    """The planner's ledger, in seconds since the epoch, from the one in the status."""
    return Ledger(tuple((entry.since.timestamp(), entry.workers, entry.asked) for entry in status.ledger))


def booked(job: TrainingJob, status: TrainingJobStatus, now: datetime) -> TrainingJobStatus:
    """The status with an entry for what the job has and asks for from now on, if that has changed."""
    over = any(c.type in ("Complete", "Failed") and c.status == "True" for c in status.conditions)
    asked = 0 if over or (job.spec.suspend and not status.placement) else job.spec.workers
    last = status.ledger[-1] if status.ledger else None
    if last and (last.workers, last.asked) == (len(status.placement), asked):
        return status
    entry = LedgerEntry(since=now, workers=len(status.placement), asked=asked)
    return status.model_copy(update={"ledger": [*status.ledger, entry][-MAX_LEDGER:]})
