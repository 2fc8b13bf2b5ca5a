"""When nodes fail, and when they are taken out for maintenance."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ergosphere.simulation.quantity import assignments, duration_s


class Change(StrEnum):
    """What happens to a node."""

    DOWN = "Down"
    UP = "Up"
    CORDONED = "Cordoned"


@dataclass(frozen=True, slots=True)
class Failures:
    """Nodes fail at random every `mtbf_s` in the mean and are down for `repair_s`.

    Each node is taken out every `maintenance_s`, one after the other: cordoned, and `notice_s` later down for
    `window_s`. Zero for never.
    """

    mtbf_s: float = 0.0
    repair_s: float = 4 * 3600.0
    maintenance_s: float = 0.0
    notice_s: float = 1800.0
    window_s: float = 3600.0

    def changes(self, node: str, index: int, count: int, seed: int) -> Iterator[tuple[float, Change]]:
        """The node's changes without end, by time; maintenance that falls into a failure is left out."""
        chance = random.Random(f"{seed}/{node}")  # noqa: S311 - a simulation, not a secret
        failure = chance.expovariate(1 / self.mtbf_s) if self.mtbf_s else float("inf")
        planned = self.maintenance_s * (index + 1) / count if self.maintenance_s else float("inf")
        while min(failure, planned) < float("inf"):
            if failure <= planned + self.notice_s + self.window_s:
                yield failure, Change.DOWN
                back = failure + self.repair_s
                failure = back + chance.expovariate(1 / self.mtbf_s)
            else:
                yield planned, Change.CORDONED
                yield planned + self.notice_s, Change.DOWN
                back = planned + self.notice_s + self.window_s
            yield back, Change.UP
            while planned < back:
                planned += self.maintenance_s


def parse_failures(text: str) -> Failures:
    """`none`, or parts such as `mtbf=30d,repair=4h,maintenance=7d,notice=30m,window=1h`."""
    if text == "none":
        return Failures()
    parts = {
        name: duration_s(value)
        for name, value in assignments(text, ("mtbf", "repair", "maintenance", "notice", "window")).items()
    }
    failures = Failures(**{f"{name}_s": value for name, value in parts.items()})
    for name, value in parts.items():
        if value <= 0:
            raise ValueError(f"{name} must be longer than nothing")
    if failures.maintenance_s and failures.notice_s + failures.window_s >= failures.maintenance_s:
        raise ValueError("maintenance must come less often than notice and window take")
    return failures
