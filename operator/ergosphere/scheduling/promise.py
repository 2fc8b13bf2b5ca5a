"""How a job stands with its tier's promise.

Singularity (arXiv 2202.07848) promises a GPU fraction and lets those yield first that have the most above it.
"""

from collections.abc import Mapping
from dataclasses import replace

from ergosphere.scheduling.model import Job, Tier
from ergosphere.scheduling.rules import Rules


def promise(job: Job, tiers: Mapping[str, Tier]) -> float:
    """The fraction promised to the job now; 0 before it is admitted."""
    return tiers[job.tier].promise if job.admitted is not None else 0.0


def fraction(job: Job, now: float, tiers: Mapping[str, Tier]) -> float:
    """The fraction received within the tier's window; of no time at all, 0 unless it is placed."""
    ledger = job.ledger
    if not ledger.changes:
        return 1.0 if job.placement else 0.0
    got, asked = ledger.received(now, tiers[job.tier].window_s)
    if asked:
        return got / asked
    return 1.0 if job.placement else 0.0


def surplus(job: Job, now: float, tiers: Mapping[str, Tier]) -> float:
    """What the job received above its promise, as a fraction; negative while the promise is not met."""
    return fraction(job, now, tiers) - promise(job, tiers)


def lead_s(job: Job, rules: Rules) -> float:
    """How long before its promise breaks a waiting job must be acted upon.

    Others have to be cut before it is restored; their cut is reckoned to take as long as one of its own.
    """
    return rules.lead_s + job.moving.pause_s


def due(job: Job, tiers: Mapping[str, Tier], rules: Rules) -> float | None:
    """When a waiting job must be started for its promise to hold; None when nothing is promised to it.

    Found by bisection from the time it began to wait: while it waits its fraction only falls, until the
    window holds nothing but waiting.
    """
    wanted = promise(job, tiers)
    if not wanted:
        return None
    if not job.ledger.changes:
        return job.submitted
    lead = lead_s(job, rules)
    low = job.ledger.changes[-1][0]
    high = low + tiers[job.tier].window_s
    if fraction(job, low + lead, tiers) < wanted:
        return low
    while high - low > 1.0:
        middle = (low + high) / 2
        if fraction(job, middle + lead, tiers) < wanted:
            high = middle
        else:
            low = middle
    return low


def stopped(job: Job, now: float, tiers: Mapping[str, Tier]) -> Job:
    """The job as it would be if it lost its placement now."""
    ledger = job.ledger.record(now, 0, job.workers, tiers[job.tier].window_s)
    return replace(job, placement=(), ledger=ledger)


def endures(job: Job, now: float, tiers: Mapping[str, Tier], rules: Rules) -> bool:
    """Whether the job could be stopped now without its promise being due at once."""
    return fraction(stopped(job, now, tiers), now + lead_s(job, rules), tiers) >= promise(job, tiers)
