"""What types are asked for beyond what there is of them, where there are too many unions to look at each.

By Hall's theorem all that is asked for can be given unless some union of types is asked for more than it
has, and the minimum cut of a flow is the union of which that holds most.
"""

import math
from collections import defaultdict
from collections.abc import Mapping

Kinds = frozenset[str]

_LITTLE = 1e-9


def tightest(asked: Mapping[Kinds, int], room: Mapping[str, float], part: Kinds) -> Kinds:
    """Of the unions with `part` in them, the one that is asked for most beyond its room, or least below it.

    What is asked for counts where all types that it may be given of are in the union.
    """
    flow = Flow(room)
    short = [kinds for kinds, gpus in sorted(asked.items(), key=_order) if flow.pour(kinds, gpus)]
    flow.pour(part, math.inf)
    return frozenset(kind for kinds in (part, *short) for kind in flow.reached(kinds))


def _order(item: tuple[Kinds, int]) -> tuple[int, list[str]]:
    return len(item[0]), sorted(item[0])


class Flow:
    """Who is given how much of which type, out of the room that there is."""

    def __init__(self, room: Mapping[str, float]) -> None:
        self.left = dict(room)
        self.given: defaultdict[str, defaultdict[Kinds, float]] = defaultdict(lambda: defaultdict(float))

    def pour(self, kinds: Kinds, gpus: float) -> float:
        """Give so many of these types, for which others may be given others; returns what is not given."""
        while gpus > _LITTLE:
            origins = self.reached(kinds)
            end = next((kind for kind in origins if self.left[kind] > _LITTLE), None)
            if end is None:
                return gpus
            gpus -= self._shift(kinds, gpus, origins, end)
        return 0.0

    def reached(self, kinds: Kinds) -> dict[str, tuple[str, Kinds] | None]:
        """The types that can be freed for these, the nearest first: of which type, and who would change."""
        origins: dict[str, tuple[str, Kinds] | None] = dict.fromkeys(sorted(kinds))
        queue = list(origins)
        for kind in queue:
            for taker in [taker for taker, gpus in self.given[kind].items() if gpus > _LITTLE]:
                new = [other for other in sorted(taker) if other not in origins]
                origins |= dict.fromkeys(new, (kind, taker))
                queue += new
        return origins

    def _shift(
        self, kinds: Kinds, gpus: float, origins: Mapping[str, tuple[str, Kinds] | None], end: str
    ) -> float:
        steps, kind = [], end
        while origin := origins[kind]:
            steps.append((kind, *origin))
            kind = origin[0]
        amount = min(gpus, self.left[end], *(self.given[before][others] for _, before, others in steps))
        self.left[end] -= amount
        for after, before, others in steps:
            self.given[before][others] -= amount
            self.given[after][others] += amount
        self.given[kind][kinds] += amount
        return amount
