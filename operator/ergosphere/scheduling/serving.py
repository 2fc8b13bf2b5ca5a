"""Serving the waiting jobs: those come first that are expected to give the GPUs back first."""

import heapq
import math

from ergosphere.scheduling import promise
from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.defragmentation import Defragmenter
from ergosphere.scheduling.elasticity import place_elastic
from ergosphere.scheduling.explanation import Explanation, started_on
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.placing import ever
from ergosphere.scheduling.turns import Turns
from ergosphere.scheduling.yielding import Yield, above_asked, make_room


def admit(cycle: Cycle) -> None:
    """Promise to those that want a promise what the fleet still has to promise, and note whom."""
    book = cycle.book
    for types, gpus in book.admitted.items():
        cycle.admission.count(types, gpus)
    possible = cycle.admission.possible(j for j in book.unadmitted.values() if cycle.tiers[j.tier].promise)
    fitting: dict[Shape, bool] = {}
    for job in possible:
        shape = book.shapes[job.name]
        if shape not in fitting:
            fitting[shape] = ever(cycle.space, job, job.workers)
    wanting = [job for job in possible if fitting[book.shapes[job.name]]]
    wanting.sort(
        key=lambda job: (
            -cycle.tiers[job.tier].rank,
            -job.priority,
            cycle.expected(job),
            job.submitted,
            job.name,
        )
    )
    for job in cycle.admission.admit(wanting):
        cycle.admit(job)


class Serving:
    """Gives placements to the jobs that have none, until nothing more fits."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self.defragmenter = Defragmenter(cycle)
        self.turns = Turns(cycle, self.defragmenter)
        self.failed: dict[Shape, int] = {}
        """Shapes that did not fit, and how often room had been made by then."""
        self.above: list[Yield] | None = None

    def idle(self) -> list[Job]:
        """The jobs without a placement that may have one, as they stand in this plan; in no order."""
        cycle = self.cycle
        target, admitted = cycle.target, cycle.admitted
        jobs = [admitted.get(n, job) for n, job in cycle.book.waiting.items() if not target.get(n)]
        for name, placement in target.items():
            job = cycle.book.jobs[name]
            if not placement and job.placement and name not in cycle.book.suspended:
                jobs.append(promise.stopped(cycle.job(name), cycle.now, cycle.tiers))
        return jobs

    def salvaged(self) -> None:
        """Jobs that lost their nodes go on elsewhere where there is room."""
        for name in list(self.cycle.target):
            if self.cycle.cause[name].reason in ("NodeLost", "NodeTaken"):
                job = self.cycle.book.jobs[name]
                placement = place_elastic(self.cycle, job, job.workers)
                if placement is not None:
                    message = f"{self.cycle.cause[name].message} {started_on(placement)}"
                    self.start(job, placement, Cause(self.cycle.cause[name].reason, message))

    def start(self, job: Job, placement: Placement, cause: Cause) -> None:
        """Give the job its placement."""
        self.cycle.assign(self.cycle.book.jobs[job.name], placement, cause)

    def fits(self, job: Job) -> bool:
        """Start the job if it fits, perhaps after others gave back spare GPUs or moved closer together."""
        cycle, shape = self.cycle, self.cycle.book.shapes[job.name]
        if self.failed.get(shape) == cycle.released:
            return False
        placement = place_elastic(cycle, job, job.workers)
        reason = "Fits"
        if placement is None and job.gpus_per_worker:
            back = Cause("GivenBack", f"Gives GPUs beyond what it asked for back to {job.name}.")
            placement = make_room(cycle, job, self._above(), back)
        if placement is None:
            placement, reason = self.defragmenter.clear(job), "Defragmented"
        if placement is None:
            self.failed[shape] = cycle.released
            return False
        self.start(job, placement, Cause(reason, started_on(placement)))
        return True

    def _above(self) -> list[Yield]:
        if self.above is None:
            self.above = above_asked(self.cycle)
        return self.above

    def fill(self) -> None:
        """Give what is free to all others in order; those without a promise take turns."""
        cycle = self.cycle
        # A sorted list is a heap.
        heap = sorted((cycle.expected(job), job.submitted, job.name) for job in self.idle())
        shapes, late = cycle.book.shapes, list[str]()
        hopeless: dict[Shape, int] = {}
        """Shapes for which there was neither room nor a turn, and how often room had been made by then.
        Who comes later is expected to run longer, and finds neither as well."""
        while heap:
            name = heapq.heappop(heap)[-1]
            if hopeless.get(shapes[name]) == cycle.released:
                late.append(name)
                continue
            job = cycle.job(name)
            if self.fits(job):
                continue
            dropped = len(cycle.dropped)
            placement = self.turns.take(job)
            if placement is None:
                late.append(name)
                if not cycle.promise(job):
                    hopeless[shapes[name]] = cycle.released
                continue
            self.start(job, placement, Cause("Turn", f"It is its turn. {started_on(placement)}"))
            for victim in (cycle.job(name) for name in dict.fromkeys(cycle.dropped[dropped:])):
                if not cycle.placement(victim):
                    heapq.heappush(heap, (cycle.expected(victim), victim.submitted, victim.name))
        for name in late if cycle.released else ():
            self.fits(cycle.job(name))

    def explain(self) -> None:
        """Say of each job that is left why it waits."""
        explanation = Explanation(self.cycle, self.defragmenter.costs)
        for job in self.idle():
            self.cycle.waiting[job.name] = explanation.waiting(job)
        # Asked for even if nobody waits: it forgets who has rested.
        rested = self.cycle.book.rested_at(self.cycle.now, self.cycle.rules.min_run_s)
        if self.cycle.waiting:
            self._look_again(rested)

    def _look_again(self, rested: float) -> None:
        """When time alone brings more room: others have rested, ran longer, or moving them pays by then."""
        pays = min(self.defragmenter.pays_at.values(), default=math.inf)
        again = min(rested, self.turns.longer_at, pays)
        if again < math.inf:
            self.cycle.again(again)
