"""Who comes first.

Durations are not known. As in Tiresias (NSDI 19), a job that has run long is expected to run long still, and
GPU time counts rather than time: what it received so far is the guess at what it will still need. The guess
moves in steps of a factor of two, so that equals do not overtake each other all the time.
"""

import math
from collections.abc import Mapping

from ergosphere.scheduling.model import Job, Tier
from ergosphere.scheduling.rules import Rules


def expectation(job: Job, now: float, rules: Rules) -> tuple[float, float]:
    """GPU-seconds that the job is expected to need still, and when more will be expected of it.

    The latter if it goes on as it does; infinite while it stands still.
    """
    guess = _guess_s(job.ledger.attained(now) / job.workers, rules)
    # The run time is rounded otherwise than the times at which more is expected, by which it is decided.
    if guess > rules.fresh_s and now < _until(job, guess / 2) < math.inf:
        guess /= 2
    elif _until(job, guess) <= now:
        guess *= 2
    return guess * job.workers * max(1, job.gpus_per_worker), _until(job, guess)


def _until(job: Job, guess: float) -> float:
    """When the job has run for `guess` seconds; the same to the last bit whenever it is asked for."""
    since, received, _ = job.ledger.changes[-1] if job.ledger.changes else (0.0, 0, 0)
    return since + (guess * job.workers - job.ledger.total) / received if received else math.inf


def _guess_s(run_s: float, rules: Rules) -> float:
    if run_s <= rules.fresh_s:
        return rules.fresh_s
    return rules.fresh_s * 2.0 ** math.floor(math.log2(run_s / rules.fresh_s) + 1)


def by_tier(job: Job, tiers: Mapping[str, Tier]) -> tuple[int, int, float, str]:
    """Higher tiers first, then higher priority, then the order of submission; a total order."""
    return (-tiers[job.tier].rank, -job.priority, job.submitted, job.name)
