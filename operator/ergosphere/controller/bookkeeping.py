"""What a job was given, in its status: the ledger by which promises are judged outlives the operator."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from ergosphere.api.service_tier import ServiceTier
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import MAX_LEDGER, LedgerEntry, TrainingJobStatus
from ergosphere.scheduling.ledger import Ledger


def ledger(status: TrainingJobStatus) -> Ledger:
    """The planner's ledger, in seconds since the epoch, from the one in the status.

    What was received before the oldest entry of a full one is forgotten.
    """
    changes = tuple((entry.since.timestamp(), entry.workers, entry.asked) for entry in status.ledger)
    total = sum(had * (until - since) for (since, had, _), (until, _, _) in pairwise(changes))
    return Ledger(changes, total)


def below_promise(job: TrainingJob, tier: ServiceTier) -> bool:
    """Whether the job wants GPUs and has received less than its tier promises, by what its status says."""
    status, promise = job.status, tier.spec.fraction
    wanting = not job.finished and not job.spec.suspend and status.admitted_time is not None
    if job.spec.tier != tier.name or not wanting or promise is None or status.gpu_fraction is None:
        return False
    return Decimal(status.gpu_fraction) < promise


def booked(job: TrainingJob, status: TrainingJobStatus, now: datetime) -> TrainingJobStatus:
    """The status with an entry for what the job has and asks for from now on, if that has changed."""
    over = any(c.type in ("Complete", "Failed") and c.status == "True" for c in status.conditions)
    asked = 0 if over or (job.spec.suspend and not status.placement) else job.spec.workers
    last = status.ledger[-1] if status.ledger else None
    if last and (last.workers, last.asked) == (len(status.placement), asked):
        return status
    entry = LedgerEntry(since=now, workers=len(status.placement), asked=asked)
    return status.model_copy(update={"ledger": [*status.ledger, entry][-MAX_LEDGER:]})
