"""Jobs without a promise take turns: one that ran long yields to one that is expected to be done sooner."""

from bisect import bisect_right
from collections.abc import Iterator

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
        self.takers: list[Job] | None = None
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

    def _takers(self) -> list[Job]:
        """Running jobs without a promise that are rested, those expected to run longest first."""
        cycle = self.cycle
        if self.takers is None:
            jobs = [cycle.book.jobs[n] for n in cycle.book.unpromised if n not in cycle.admitted]
            rested = [j for j in jobs if cycle.rested(j) and cycle.settled(j)]
            self.takers = sorted(rested, key=lambda j: (-cycle.expected(j), j.name))
        return self.takers

    def _longest(self) -> float:
        takers = self._takers()
        return self.cycle.expected(takers[0]) if takers else 0.0

    def _longer(self, limit: float) -> Iterator[Yield]:
        takers = self._takers()
        upto = bisect_right(takers, -limit, key=lambda j: -self.cycle.expected(j))
        return (Yield(takers[i], ()) for i in range(upto))
