"""Step times of two kinds of runs, compared."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

from scenario.losses import parse

WARM_UP = 50


def seconds_a_step(log: str) -> float:
    """The mean time between the steps in a log with time stamps (RFC 3339), without the first 50.

    Raises:
        ValueError: there are too few steps.
    """
    times = [stamp for stamp, line in (entry.split(" ", 1) for entry in log.splitlines()) if parse(line)]
    if len(times) <= WARM_UP + 1:
        raise ValueError(f"{len(times)} steps are too few to measure, {WARM_UP + 2} at least are needed")
    first, last = (datetime.fromisoformat(times[at]) for at in (WARM_UP, -1))
    return (last - first).total_seconds() / (len(times) - 1 - WARM_UP)


def ratios(plain: Sequence[float], jobs: Sequence[float]) -> dict[str, Any]:
    """The overhead pair by pair, beside the spread of the plain runs themselves, which is the noise.

    Both take seconds a step, as many of the one as of the other, measured in turns.
    """
    pairs = [job / alone for alone, job in zip(plain, jobs, strict=True)]
    middle = median(plain)
    return {
        "job_vs_plain": round(median(pairs), 4),
        "noise": round((max(plain) - min(plain)) / middle, 4),
        "plain_ms": [round(1000 * value, 3) for value in plain],
        "job_ms": [round(1000 * value, 3) for value in jobs],
    }


def table(found: dict[str, Any]) -> str:
    """The ratios for people."""
    rows = zip(found["plain_ms"], found["job_ms"], strict=True)
    lines = ["   plain pod   TrainingJob   ms a step", *(f"{a:>12.3f}{b:>14.3f}" for a, b in rows)]
    return "\n".join(
        [
            *lines,
            f"the job takes {found['job_vs_plain']:.4f} times as long; the noise is {found['noise']:.4f}",
        ]
    )
