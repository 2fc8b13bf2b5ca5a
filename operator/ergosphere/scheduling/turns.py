"""Jobs without a promise take turns: one that ran long yields to one that is expected to be done sooner."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.defragmentation import Defragmenter
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.yielding import Yield, make_room


class Turns:
    """Whose turn it is within one plan."""

    def __init__(self, cycle: Cycle, defragmenter: Defragmenter) -> None:
        self.cycle = cycle
        self.defragmenter = defragmenter
        self.takers: list[tuple[float, str]] | None = None
        self.longer_at = math.inf
        """When more is expected of one of the takers than now, as far as anybody asked for them."""
        self.failed: dict[Shape, tuple[int, float]] = {}
        """Shapes that found no room, how often room had been made by then, and who was too short for them."""

    def take(self, job: Job) -> Placement | None:
        """Room for the job on GPUs of those that have no promise either and will run much longer."""
        cycle, shape = self.cycle, self.cycle.book.shapes[job.name]
        limit = cycle.expected(job) * cycle.rules.turn_factor
        if limit > self._longest() or cycle.promise(job) or not job.gpus_per_worker:
            return None
        released, least = self.failed.get(shape, (-1, 0.0))
        if released == cycle.released and limit >= least:
            return None
        cause = Cause("TurnOver", f"Ran long; it is the turn of {job.name}.")
        placement = make_room(cycle, job, self._longer(limit), cause)
        if placement is None:
            placement = self.defragmenter.clear_with(job, self._longer(limit), cause)
        if placement is None:
            self.failed[shape] = (cycle.released, limit)
        return placement

    def _takers(self) -> list[tuple[float, str]]:
        """Running jobs without a promise that are rested, those expected to run longest first."""
        cycle = self.cycle
        if self.takers is None:
            jobs = [cycle.book.jobs[n] for n in cycle.book.unpromised if n not in cycle.admitted]
            rested = [j for j in jobs if cycle.rested(j) and cycle.settled(j)]
            # Many are expected to need the same, and two sorts of plain values take less than one of pairs.
            pairs = sorted(((-cycle.expected(j), j.name) for j in rested), key=itemgetter(1))
            self.takers = sorted(pairs, key=itemgetter(0))
            guesses = cycle.book.guesses
            self.longer_at = min((guesses[name][1] for _, name in self.takers), default=math.inf)
        return self.takers

    def _longest(self) -> float:
        takers = self._takers()
        return -takers[0][0] if takers else 0.0

    def _longer(self, limit: float) -> Iterator[Yield]:
        takers = self._takers()
        upto = bisect_right(takers, -limit, key=itemgetter(0))
        return (Yield(self.cycle.book.jobs[takers[i][1]], ()) for i in range(upto))
