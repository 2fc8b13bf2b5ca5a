"""Serving the waiting jobs: promises first, then whoever is expected to give the GPUs back first."""

import heapq

from ergosphere.scheduling import promise
from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.defragmentation import Defragmenter
from ergosphere.scheduling.elasticity import place_elastic
from ergosphere.scheduling.explanation import Explanation, started_on
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.yielding import Yield, Yielders, above_asked, make_room


def admit(cycle: Cycle) -> None:
    """Promise to those that want a promise what the fleet still has to promise, and note whom."""
    book = cycle.book
    for (tier, types), gpus in sorted(
        book.admitted.items(), key=lambda item: (item[0][0], sorted(item[0][1]))
    ):
        cycle.admission.count(tier, types, gpus)
    wanting = [job for job in book.unadmitted.values() if cycle.tiers[job.tier].promise]
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
        self.failed: dict[Shape, int] = {}
        """Shapes that did not fit, and how often room had been made by then."""
        self.turns: list[tuple[float, str]] | None = None

    def idle(self) -> list[Job]:
        """The jobs without a placement that may have one, as they stand in this plan; in no order."""
        cycle = self.cycle
        jobs = [cycle.job(name) for name in cycle.book.waiting if not cycle.target.get(name)]
        for name, placement in cycle.target.items():
            job = cycle.book.jobs[name]
            if not placement and job.placement and name not in cycle.book.suspended:
                jobs.append(promise.stopped(cycle.job(name), cycle.now))
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

    def claims(self) -> None:
        """Start those whose promise would break, on GPUs of those who have more than they were promised."""
        due = sorted(self._due(), key=self._claim_order)
        yielders = Yielders(self.cycle) if due else None
        for job in due:
            if yielders is not None and not self._fits(job):
                self._claim(job, yielders)

    def _due(self) -> list[Job]:
        cycle, due = self.cycle, []
        for job in self.idle():
            if job.admitted is not None:
                time = cycle.due(job)
                if time is not None and time <= cycle.now:
                    due.append(job)
                elif time is not None:
                    cycle.again(time)
        return due

    def _claim_order(self, job: Job) -> tuple[int, int, float, float, str]:
        cycle = self.cycle
        return (
            -cycle.tiers[job.tier].rank,
            -job.priority,
            cycle.surplus(job),
            job.submitted,
            job.name,
        )

    def _claim(self, job: Job, yielders: Yielders) -> None:
        cycle, tier = self.cycle, self.cycle.tiers[job.tier]
        if not 0 < job.workers * job.gpus_per_worker <= cycle.space.spare + yielders.gpus:
            return
        why = f"{job.name}, whose {tier.name} promise of {tier.promise:.2f} would break otherwise"
        cause = Cause("Yielded", f"Yields its GPUs to {why}; it had more than it was promised.")
        placement = make_room(cycle, job, yielders.for_claim(job), cause)
        if placement is None:
            placement = self.defragmenter.clear_with(job, yielders.for_claim(job), cause)
        if placement is not None:
            message = f"{tier.name} promises it {tier.promise:.2f} of its time. {started_on(placement)}"
            self.start(job, placement, Cause("PromiseDue", message))

    def start(self, job: Job, placement: Placement, cause: Cause) -> None:
        """Give the job its placement."""
        self.cycle.assign(self.cycle.book.jobs[job.name], placement, cause)

    def _fits(self, job: Job) -> bool:
        """Start the job if it fits, perhaps after others gave back spare GPUs or moved closer together."""
        cycle, shape = self.cycle, self.cycle.book.shapes[job.name]
        if self.failed.get(shape) == cycle.released:
            return False
        placement = place_elastic(cycle, job, job.workers)
        reason = "Fits"
        if placement is None and job.gpus_per_worker:
            back = Cause("GivenBack", f"Gives GPUs beyond what it asked for back to {job.name}.")
            placement = make_room(cycle, job, above_asked(cycle), back)
        if placement is None:
            placement, reason = self.defragmenter.clear(job), "Defragmented"
        if placement is None:
            self.failed[shape] = cycle.released
            return False
        self.start(job, placement, Cause(reason, started_on(placement)))
        return True

    def fill(self) -> None:
        """Give what is free to all others in order; those without a promise take turns."""
        heap = [(self.cycle.expected(job), job.submitted, job.name) for job in self.idle()]
        heapq.heapify(heap)
        late: list[Job] = []
        while heap:
            name = heapq.heappop(heap)[-1]
            job = self.cycle.job(name)
            if self._fits(job):
                continue
            late.append(job)
            for victim in self._turn(job):
                heapq.heappush(heap, (self.cycle.expected(victim), victim.submitted, victim.name))
        if self.turns:
            for job in late:
                if not self.cycle.placement(job):
                    self._fits(job)

    def _turn(self, job: Job) -> list[Job]:
        """Let the job have its turn: those yield that have no promise either and will run much longer."""
        cycle = self.cycle
        if cycle.promise(job) or not job.gpus_per_worker:
            return []
        limit = cycle.expected(job) * cycle.rules.turn_factor
        yields = [Yield(cycle.book.jobs[name], ()) for negative, name in self._takers() if -negative >= limit]
        if not yields or job.workers * job.gpus_per_worker > cycle.space.spare + sum(y.gpus for y in yields):
            return []
        cause = Cause("TurnOver", f"Ran long; it is the turn of {job.name}.")
        placement = make_room(cycle, job, yields, cause) or self.defragmenter.clear_with(job, yields, cause)
        if placement is None:
            return []
        self.start(job, placement, Cause("Turn", f"It is its turn. {started_on(placement)}"))
        return [y.job for y in yields if cycle.target.get(y.job.name) == ()]

    def _takers(self) -> list[tuple[float, str]]:
        """Running jobs without a promise that are rested, those expected to run longest first."""
        cycle = self.cycle
        if self.turns is None:
            unpromised = [j for n, j in cycle.book.placed.items() if not cycle.promise(cycle.job(n))]
            if unpromised:
                cycle.again(cycle.now + cycle.rules.look_s)
            rested = [j for j in unpromised if cycle.rested(j) and cycle.settled(j)]
            self.turns = sorted((-cycle.expected(j), j.name) for j in rested)
        return self.turns

    def explain(self) -> None:
        """Say of each job that is left why it waits."""
        explanation = Explanation(self.cycle, self.defragmenter.costs)
        for job in sorted(self.idle(), key=lambda job: job.name):
            self.cycle.waiting[job.name] = explanation.waiting(job)
