"""Who comes first.

Durations are not known. As in Tiresias (NSDI 19), a job that has run long is expected to run long still, and
GPU time counts rather than time: what it received so far is the guess at what it will still need. The guess
moves in steps of a factor of two, so that equals do not overtake each other all the time.
"""

import math
from collections.abc import Mapping

from ergosphere.scheduling.model import Job, Tier
from ergosphere.scheduling.rules import Rules


def expected_gpu_s(job: Job, now: float, rules: Rules) -> float:
    """GPU-seconds that the job is expected to need still."""
    guess = _guess_s(job.ledger.attained(now) / job.workers, rules)
    return guess * job.workers * max(1, job.gpus_per_worker)


def _guess_s(run_s: float, rules: Rules) -> float:
    if run_s <= rules.fresh_s:
        return rules.fresh_s
    return rules.fresh_s * 2.0 ** math.floor(math.log2(run_s / rules.fresh_s) + 1)


def next_guess(job: Job, now: float, rules: Rules) -> float:
    """When more is expected of the job than now, if it goes on as it does; infinite while it stands still."""
    received = job.ledger.changes[-1][1] if job.ledger.changes else 0
    if not received:
        return math.inf
    run_s = job.ledger.attained(now) / job.workers
    return now + (_guess_s(run_s, rules) - run_s) * job.workers / received


def precedence(job: Job, now: float, rules: Rules) -> tuple[float, float, str]:
    """Idle GPUs go to the job expected to give them back first; a total order."""
    return (expected_gpu_s(job, now, rules), job.submitted, job.name)


def by_tier(job: Job, tiers: Mapping[str, Tier]) -> tuple[int, int, float, str]:
    """Higher tiers first, then higher priority, then the order of submission; a total order."""
    return (-tiers[job.tier].rank, -job.priority, job.submitted, job.name)
