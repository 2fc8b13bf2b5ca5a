"""Who yields, and how much, to make room for a gang."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.placing import accepted, room


@dataclass(frozen=True, slots=True)
class Yield:
    """A job that can give up GPUs, and the placement that is left to it: none when it is preempted."""

    job: Job
    rest: Placement


class Tally:
    """How many workers of a gang would fit if some jobs yielded; counted, nothing is assigned."""

    def __init__(self, cycle: Cycle, job: Job) -> None:
        self.cycle = cycle
        self.space = cycle.space
        self.each = job.gpus_per_worker
        self.nodes = accepted(cycle.space, job)
        self.extra: dict[int, int] = {}
        self.chosen: dict[str, Yield] = {}
        self.workers = sum(
            room(shelf, self.nodes, self.each, job.workers) for shelf in cycle.space.buckets.values()
        )

    def _room(self, i: int) -> int:
        return max(0, self.space.free[i] + self.extra.get(i, 0)) // self.each

    def add(self, one: Yield) -> bool:
        """Reckon with what the job yields, perhaps more than before; False when it is no more."""
        known = self.chosen.get(one.job.name)
        held = known.rest if known else self.cycle.placement(one.job)
        self.chosen[one.job.name] = one
        for node in _given_up(held, one.rest):
            i = self.space.number[node]
            if self.nodes >> i & 1:
                before = self._room(i)
                self.extra[i] = self.extra.get(i, 0) + one.job.gpus_per_worker
                self.workers += self._room(i) - before
        return len(held) > len(one.rest)

    def helping(self) -> list[Yield]:
        """Those chosen that leave a node on which there is room for a worker then."""
        return [one for one in self.chosen.values() if self._helps(one)]

    def _helps(self, one: Yield) -> bool:
        left = {self.space.number[node] for node in _given_up(self.cycle.placement(one.job), one.rest)}
        return any(self.nodes >> i & 1 and self._room(i) for i in left)


def _given_up(held: Placement, rest: Placement) -> Iterable[str]:
    return (Counter(held) - Counter(rest)).elements()


def make_room(cycle: Cycle, job: Job, yields: Iterable[Yield], cause: Cause) -> Placement | None:
    """Let as few as needed of these yield, the first first, and return the room made for the job.

    None, and nothing changed, when all of them are not enough. A job that shrinks may yield more further on.
    """
    tally = Tally(cycle, job)
    enough, untried = 0, False
    for one in yields:
        if not cycle.yields(one.job) or not tally.add(one):
            continue
        untried = tally.workers >= job.workers
        if untried and len(tally.chosen) >= enough:
            placement = _try(cycle, job, tally.helping(), cause)
            if placement is not None:
                return placement
            # The count was right, yet they are too far apart for the job. Not after each: that would be slow.
            enough, untried = 2 * len(tally.chosen), False
    return _try(cycle, job, tally.helping(), cause) if untried else None


def _try(cycle: Cycle, job: Job, yields: list[Yield], cause: Cause) -> Placement | None:
    """Room for the job when all of these yield. Those that yielded in vain take back what they had."""
    before = [cycle.assign(one.job, one.rest, cause) for one in yields]
    placement = cycle.place(job, job.workers)
    if placement is None:
        for one, former in zip(yields, before, strict=True):
            cycle.restore(one.job, former)
        return None
    for one, former in reversed(list(zip(yields, before, strict=True))[:-1]):
        cycle.restore(one.job, former)
        without = cycle.place(job, job.workers)
        if without is None:
            cycle.assign(one.job, one.rest, cause)
        else:
            placement = without
    cycle.released += 1
    return placement


def shrinkable(cycle: Cycle, job: Job, floor: int) -> Yield | None:
    """What the job yields when it shrinks to `floor` workers: first those on nodes to be left, then the last.

    The others are started anew, so none of them may be on such a node.
    """
    held = sorted(cycle.placement(job), key=lambda node: not cycle.stays((node,)))
    return Yield(job, tuple(held[:floor])) if len(held) > floor and cycle.stays(held[:floor]) else None


def above_asked(cycle: Cycle) -> list[Yield]:
    """Elastic jobs that have more than they asked for; they give it back before anyone is preempted."""
    found = []
    for name in sorted(cycle.book.elastic):
        job = cycle.book.jobs[name]
        one = shrinkable(cycle, job, job.workers)
        if one is not None and cycle.rested(job):
            found.append(one)
    return found


class Yielders:
    """The running jobs in the order in which they yield to a promise: lowest tier, then largest surplus.

    Those too that this plan has started before, but for those whose turn it was: others were told so.
    """

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self.tiers: dict[int, list[Job]] | None = None
        self.ranked: dict[int, list[Job]] = {}
        self.elastic: list[Job] | None = None
        self.above: dict[str, bool] = {}
        """Of jobs with a promise, whether they have more than it, and would have if they were stopped."""

    def to(self, claimant: Job) -> Iterator[Yield]:
        """Those that yield to the claimant's promise: first by shrinking, then by being preempted."""
        cycle = self.cycle
        for job in self._elastic():
            one = shrinkable(cycle, job, job.smallest if self._yields(job, claimant) else job.workers)
            if one is not None:
                yield one
        for rank in sorted(self._tiers()):
            above = rank > cycle.tiers[claimant.tier].rank
            for job in self._ranked(rank):
                if not (above and cycle.promise(job)) and self._yields(job, claimant):
                    yield Yield(job, ())

    def _elastic(self) -> list[Job]:
        """Elastic jobs that can shrink for anybody, by name."""
        if self.elastic is None:
            jobs = (self.cycle.job(name) for name in sorted(self.cycle.book.elastic))
            self.elastic = [
                job
                for job in jobs
                if len(self.cycle.placement(job)) > job.workers
                or not self.cycle.promise(job)
                or self._above(job)
            ]
        return self.elastic

    def _above(self, job: Job) -> bool:
        if job.name not in self.above:
            self.above[job.name] = self.cycle.surplus(job) > 0 and self.cycle.endures(job)
        return self.above[job.name]

    def _tiers(self) -> dict[int, list[Job]]:
        cycle = self.cycle
        if self.tiers is None:
            self.tiers = {}
            placed, cause = cycle.book.placed, cycle.cause
            new = [n for n, p in cycle.target.items() if p and n not in placed and cause[n].reason != "Turn"]
            for name in [*placed, *new]:
                job = cycle.job(name)
                self.tiers.setdefault(cycle.tiers[job.tier].rank, []).append(job)
        return self.tiers

    def _ranked(self, rank: int) -> list[Job]:
        """The jobs of a tier, ordered when they are first asked for: mostly a lower one has enough."""
        if rank not in self.ranked:
            self.ranked[rank] = sorted(self._tiers()[rank], key=self._order)
        return self.ranked[rank]

    def _order(self, job: Job) -> tuple[float, float, float, str]:
        cycle = self.cycle
        surplus = round(cycle.surplus(job), 2)
        return (-surplus, round(job.moving.pause_s), -cycle.expected(job), job.name)

    def _yields(self, job: Job, claimant: Job) -> bool:
        """A promise takes from those without one, from lower tiers' surplus, and its own tier's if rested."""
        cycle = self.cycle
        if not cycle.promise(job):
            return True
        below = cycle.tiers[claimant.tier].rank - cycle.tiers[job.tier].rank
        if below < 0 or not self._above(job):
            return False
        return below > 0 or (
            job.priority <= claimant.priority
            and cycle.surplus(job) > cycle.rules.same_tier_surplus
            and cycle.rested(job)
        )
