"""Sentences for the owners of jobs: why a job waits, starts or yields."""

import math

from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cycle
from ergosphere.scheduling.model import Job, Placement, Waiting
from ergosphere.scheduling.placing import accepted, ever, room, within


def started_on(placement: Placement) -> str:
    """Where a job starts."""
    nodes = sorted(set(placement))
    if len(nodes) > 4:
        return f"Starts on {len(nodes)} nodes, {nodes[0]} and others."
    return f"Starts on {', '.join(nodes)}."


def count(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def needs(job: Job) -> str:
    """What must be free for the job."""
    gpus = count(job.gpus_per_worker, "GPU")
    if not job.gpus_per_worker:
        return "a ready node"
    near = f" of one {job.topology.level}" if job.topology and job.topology.required else ""
    if job.smallest == 1:
        return f"{gpus} on one node"
    return f"{job.smallest} times {gpus}, each on one node{near}"


class Explanation:
    """Why jobs wait. Jobs of one shape lack the same; what they lack is worked out once."""

    def __init__(self, cycle: Cycle, costs: dict[Shape, float]) -> None:
        self.cycle = cycle
        self.costs = costs
        self.lacking: dict[Shape, tuple[str, str]] = {}
        self.alike: dict[tuple[Shape, str], Waiting] = {}
        """What jobs of one shape and tier without a promise wait for."""

    def waiting(self, job: Job) -> Waiting:
        """The reason that holds back this job, and the promise it has meanwhile."""
        shape = self.cycle.book.shapes[job.name]
        if self.cycle.promise(job):
            return self._waiting(job, shape)
        alike = self.alike.get((shape, job.tier))
        if alike is None:
            alike = self.alike[shape, job.tier] = self._waiting(job, shape)
        return alike

    def _waiting(self, job: Job, shape: Shape) -> Waiting:
        if shape not in self.lacking:
            self.lacking[shape] = self._lack(job, shape)
        reason, lack = self.lacking[shape]
        return Waiting(reason, f"{lack} {self._promise(job)}")

    def _lack(self, job: Job, shape: Shape) -> tuple[str, str]:
        space = self.cycle.space
        nodes = accepted(space, job)
        levels = ", ".join(space.levels) or "none"
        if job.topology and job.topology.level not in space.levels:
            return (
                "UnknownTopology",
                f"There is no topology level {job.topology.level!r}; there are: {levels}.",
            )
        if not nodes:
            return "NoSuitableNode", "No ready node is of a kind that this job accepts."
        if not ever(space, job, job.smallest):
            return "FleetTooSmall", f"Waits for {needs(job)}; the fleet has no such room even when empty."
        return "NoRoom", f"Waits for {needs(job)}; {self._best(job, nodes)}{self._cost(shape)}."

    def _best(self, job: Job, nodes: int) -> str:
        space = self.cycle.space
        open_to = [s for kind, s in space.buckets.items() if not job.gpu_types or kind in job.gpu_types]
        fitting = max(
            sum(room(shelf, some, job.gpus_per_worker, job.smallest) for shelf in open_to)
            for some in within(space, job, nodes)
        )
        if fitting:
            return f"there is room for {fitting}"
        for free in range(space.most, 0, -1):
            for _, shelf in sorted(space.buckets.items()):
                here = shelf[free] & nodes
                if here:
                    return f"{free} free on {space.nodes[(here & -here).bit_length() - 1].name}"
        return "none is free"

    def _cost(self, shape: Shape) -> str:
        cost = self.costs.get(shape)
        return f"; defragmentation would cost {cost / 60:.0f} GPU-minutes" if cost is not None else ""

    def _limit(self, job: Job) -> str:
        """Why no promise was made to the job."""
        limit = self.cycle.admission.limit(job.tier, job.gpu_types, job.workers * job.gpus_per_worker)
        if limit is None or not ever(self.cycle.space, job, job.workers):
            return (
                "Nothing is promised to it while the fleet, even when empty, has no room for all its workers"
            )
        made, most = limit
        most_whole, asked = math.floor(most + 1e-6), job.workers * job.gpus_per_worker
        return f"Jobs that were promised GPUs ask for {made} of at most {most_whole}, and it asks for {asked}"

    def _promise(self, job: Job) -> str:
        tier = self.cycle.tiers[job.tier]
        if not tier.promise:
            return f"{tier.name} promises nothing: it runs when GPUs are idle."
        if not self.cycle.promise(job):
            return f"{self._limit(job)}; until then it runs when GPUs are idle."
        return f"It had {self.cycle.fraction(job):.2f} of its time; {tier.name} promises {tier.promise:.2f}."
