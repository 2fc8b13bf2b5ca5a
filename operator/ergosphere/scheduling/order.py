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
    run_s = job.ledger.attained(now) / job.workers
    guess = rules.fresh_s
    if run_s > guess:
        guess *= 2.0 ** math.floor(math.log2(run_s / guess) + 1)
    return guess * job.workers * max(1, job.gpus_per_worker)


def precedence(job: Job, now: float, rules: Rules) -> tuple[float, float, str]:
    """Idle GPUs go to the job expected to give them back first; a total order."""
    return (expected_gpu_s(job, now, rules), job.submitted, job.name)


def by_tier(job: Job, tiers: Mapping[str, Tier]) -> tuple[int, int, float, str]:
    """Higher tiers first, then higher priority, then the order of submission; a total order."""
    return (-tiers[job.tier].rank, -job.priority, job.submitted, job.name)
