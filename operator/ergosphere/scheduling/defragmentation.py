"""Moving small jobs together so that a waiting gang can start, when that costs less than it gains."""

from collections.abc import Iterable

from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.placing import accepted, domains, room
from ergosphere.scheduling.space import bits
from ergosphere.scheduling.yielding import Yield

CANDIDATES = 64
"""Nodes looked at for one gang, those with the fewest GPUs to clear first."""

DOMAINS = 4
"""Domains looked at for one gang that must be within one."""

TRIES = 4
"""How many yields more than the GPUs that are needed are worth trying."""


class Defragmenter:
    """Tries each shape of gang once in a plan.

    `costs` keeps the GPU-seconds of what did not pay, `pays_at` the time at which it will.
    """

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self.costs: dict[Shape, float] = {}
        self.pays_at: dict[Shape, float] = {}
        self.tried: set[Shape] = set()
        self.tried_with: set[Shape] = set()

    def clear(self, job: Job) -> Placement | None:
        """Room for the job by moving others, who are assigned their new places; None if that does not pay."""
        shape = self.cycle.book.shapes[job.name]
        gpus = job.workers * job.gpus_per_worker
        if shape in self.tried or not job.gpus_per_worker or gpus > self.cycle.space.spare:
            return None
        if job.topology and job.topology.level not in self.cycle.space.levels:
            return None
        if len(self.tried) >= self.cycle.rules.searches:
            return None
        self.tried.add(shape)
        return self._pays(job, shape)

    def _pays(self, job: Job, shape: Shape) -> Placement | None:
        gpus = job.workers * job.gpus_per_worker
        moved = self._consolidate(job)
        if moved is None:
            return None
        cost = sum(mover.moving.pause_s * len(mover.placement) * mover.gpus_per_worker for mover in moved)
        since = max(job.started, job.submitted)
        pays_at = since + cost / gpus
        pays = cost <= self.cycle.rules.patience_s * gpus or pays_at <= self.cycle.now
        placement = self.cycle.place(job, job.workers)
        if placement is not None and pays:
            self.cycle.released += 1
            return placement
        if placement is not None:
            self.costs[shape] = cost
            self.pays_at[shape] = pays_at
        self._undo(moved)
        return None

    def clear_with(self, job: Job, yields: Iterable[Yield], cause: Cause) -> Placement | None:
        """The same after enough of these yielded, the first first, for the GPUs to suffice."""
        cycle, shape = self.cycle, self.cycle.book.shapes[job.name]
        gpus = job.workers * job.gpus_per_worker
        given: list[Job] = []
        tries = 0
        for one in yields if shape not in self.tried_with else ():
            if cycle.settled(one.job):
                cycle.assign(one.job, one.rest, cause)
                given.append(one.job)
                if cycle.space.spare >= gpus:
                    placement = self._pays(job, shape)
                    tries += 1
                    if placement is not None:
                        self._give_back(job, placement, given)
                        return placement
                    if tries == TRIES:
                        break
        self.tried_with.add(shape)
        self._undo(given)
        return None

    def _give_back(self, job: Job, placement: Placement, given: list[Job]) -> None:
        """Let those stay as they are whose GPUs neither the job nor whoever was moved for it takes."""
        space = self.cycle.space
        space.take(placement, job.gpus_per_worker)
        for one in reversed(given):
            before, cause = self.cycle.target[one.name], self.cycle.cause[one.name]
            self.cycle.unassign(one)
            if any(space.free[space.number[node]] < 0 for node in one.placement):
                self.cycle.assign(one, before, cause)
        space.take(placement, job.gpus_per_worker, -1)

    def _undo(self, moved: list[Job]) -> None:
        for mover in reversed(moved):
            self.cycle.unassign(mover)

    def _consolidate(self, job: Job) -> list[Job] | None:
        """Clear as many nodes as the gang lacks; the jobs moved, or None with nothing changed."""
        ways = (self._clear_among(job, nodes) for nodes in self._regions(job))
        return next((moved for moved in ways if moved is not None), None)

    def _regions(self, job: Job) -> list[int]:
        """The nodes that all of the gang must be among: of domains, the few with the most free GPUs."""
        space, nodes = self.cycle.space, accepted(self.cycle.space, job)
        if job.topology is None or not job.topology.required:
            return [nodes]
        by_room = [*domains(space, space.levels.index(job.topology.level), 0)]
        return [nodes & domain for domain in reversed(by_room[-DOMAINS:])]

    def _clear_among(self, job: Job, nodes: int) -> list[Job] | None:
        space, gpus = self.cycle.space, job.gpus_per_worker
        kept = self._roomy(nodes, gpus)
        lacking = job.workers - sum(room(s, kept, gpus, job.workers) for s in space.buckets.values())
        moved: list[Job] = []
        for i in self._candidates(nodes, gpus):
            if lacking <= 0:
                break
            movers = self._empty(i, gpus - space.free[i], kept | 1 << i, job)
            if movers and len(moved) + len(movers) <= self.cycle.rules.moves:
                moved += movers
                kept |= 1 << i
                lacking -= space.free[i] // gpus
            elif movers:
                self._undo(movers)
        if lacking <= 0 and moved:
            return moved
        self._undo(moved)
        return None

    def _roomy(self, nodes: int, gpus: int) -> int:
        """The nodes that have room for a worker already."""
        roomy = 0
        for shelf in self.cycle.space.buckets.values():
            for free in range(gpus, len(shelf)):
                roomy |= shelf[free] & nodes
        return roomy

    def _candidates(self, nodes: int, gpus: int) -> list[int]:
        space = self.cycle.space
        found: list[int] = []
        if gpus > space.most:
            return found
        for free in range(gpus - 1, 0, -1):
            for _, shelf in sorted(space.buckets.items()):
                for i in bits(shelf[free] & nodes):
                    if space.nodes[i].gpus - space.nodes[i].foreign >= gpus:
                        found.append(i)
                    if len(found) >= CANDIDATES:
                        return found
        return found

    def _empty(self, i: int, gpus: int, avoid: int, job: Job) -> list[Job] | None:
        """Move the cheapest jobs off a node until that many GPUs come free; None with nothing changed."""
        cycle, name = self.cycle, self.cycle.space.nodes[i].name
        moved: list[Job] = []
        cause = Cause("Defragmentation", f"Moves together with others so that {job.name} can start.")
        for mover in sorted(self._movable(name), key=lambda m: (m.moving.pause_s * _gpus(m), m.name)):
            if gpus <= 0:
                break
            cycle.assign(mover, (), cause)
            moved.append(mover)
            elsewhere = cycle.place(mover, len(mover.placement), avoid)
            if elsewhere is None:
                break
            cycle.assign(mover, elsewhere, cause)
            gpus -= _gpus(mover)
        if gpus <= 0:
            return moved
        self._undo(moved)
        return None

    def _movable(self, node: str) -> list[Job]:
        """The jobs with GPUs on this node, and on no other, that may move."""
        book, cycle = self.cycle.book, self.cycle
        here = [book.placed[name] for name in book.on.get(node, ()) if name in book.placed]
        alone = (j for j in here if j.gpus_per_worker and set(j.placement) == {node})
        return [j for j in alone if cycle.settled(j) and cycle.rested(j)]


def _gpus(job: Job) -> int:
    return len(job.placement) * job.gpus_per_worker
