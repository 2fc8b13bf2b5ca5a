"""How long jobs stand still until all of them are frozen, when they are cut at the same moment."""

from collections.abc import Sequence

from scenario.jobs import Job
from scenario.kubectl import Kubectl


def freezes(kubectl: Kubectl, jobs: Sequence[Job], rounds: int) -> list[float]:
    """Cut all jobs at once, `rounds` times; the longest freeze of each round, in milliseconds.

    Raises:
        AssertionError: a cut has failed.
    """
    return [_longest(kubectl, jobs, f"round-{number}") for number in range(rounds)]


def _longest(kubectl: Kubectl, jobs: Sequence[Job], cut: str) -> float:
    cuts = {f"{job.name}-{cut}": job for job in jobs}
    kubectl.apply(*(job.checkpoint_manifest(name) for name, job in cuts.items()))
    found = [job.until_checkpoint(name, timeout=180) for name, job in cuts.items()]
    assert all(checkpoint.ready for checkpoint in found), [checkpoint.status for checkpoint in found]
    return max(checkpoint.status.parts_ms["freeze"] for checkpoint in found)
