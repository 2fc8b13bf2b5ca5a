"""Who yields, and how much, to make room for a gang."""

from collections.abc import Iterable
from dataclasses import dataclass

from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.placing import room


@dataclass(frozen=True, slots=True)
class Yield:
    """A job that can give up GPUs, and the placement that is left to it: none when it is preempted."""

    job: Job
    rest: Placement

    @property
    def gpus(self) -> int:
        """GPUs that come free."""
        return (len(self.job.placement) - len(self.rest)) * self.job.gpus_per_worker


def make_room(cycle: Cycle, job: Job, yields: Iterable[Yield], cause: Cause) -> Placement | None:
    """Let as few as needed of these yield, the first first, and return the room made for the job.

    None, and nothing changed, when all of them are not enough. Those that turn out not to be in the way keep
    what they have.
    """
    given: list[Yield] = []
    for one in yields:
        if cycle.settled(one.job):
            cycle.assign(one.job, one.rest, cause)
            given.append(one)
            placement = _try(cycle, job)
            if placement is not None:
                cycle.released += 1
                return _spare(cycle, job, given, placement)
    for one in given:
        cycle.unassign(one.job)
    return None


def _try(cycle: Cycle, job: Job) -> Placement | None:
    """Room for the job now; a quick count comes first, as most tries fail."""
    space = cycle.space
    if job.workers * job.gpus_per_worker > space.spare:
        return None
    if (
        sum(room(shelf, space.usable, job.gpus_per_worker, job.workers) for shelf in space.buckets.values())
        < job.workers
    ):
        return None
    return cycle.place(job, job.workers)


def _spare(cycle: Cycle, job: Job, given: list[Yield], placement: Placement) -> Placement:
    """Take back from the last to the first who yielded in vain."""
    for one in reversed(given[:-1]):
        cause = cycle.cause[one.job.name]
        cycle.unassign(one.job)
        without = _try(cycle, job)
        if without is None:
            cycle.assign(one.job, one.rest, cause)
        else:
            placement = without
    return placement


def shrinkable(cycle: Cycle, job: Job, floor: int) -> Yield | None:
    """What the job yields when it shrinks to `floor` workers, the last ranks first."""
    return Yield(job, job.placement[:floor]) if len(job.placement) > floor else None


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
    """All running jobs in the order in which they yield to a promise: computed once for a plan."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self.ranked: list[tuple[int, float, float, float, str]] = []
        tiers = cycle.tiers
        for name, job in cycle.book.placed.items():
            surplus = cycle.surplus(job)
            if surplus > 0 or not cycle.promise(job):
                self.ranked.append(
                    (
                        tiers[job.tier].rank,
                        -round(surplus, 2),
                        round(job.moving.pause_s),
                        -cycle.expected(job),
                        name,
                    )
                )
        self.ranked.sort()
        self.gpus = sum(self._gpus(entry[-1]) for entry in self.ranked)

    def _gpus(self, name: str) -> int:
        job = self.cycle.book.jobs[name]
        return len(job.placement) * job.gpus_per_worker

    def for_claim(self, claimant: Job) -> Iterable[Yield]:
        """Those that yield to the claimant's promise: first by shrinking, then by being preempted."""
        for name in sorted(self.cycle.book.elastic):
            job = self.cycle.book.jobs[name]
            floor = job.smallest if self._yields(job, claimant, self.cycle.surplus(job)) else job.workers
            one = shrinkable(self.cycle, job, floor)
            if one is not None:
                yield one
        for rank, negative, _, _, name in self.ranked:
            if rank > self.cycle.tiers[claimant.tier].rank and self.cycle.promise(self.cycle.book.jobs[name]):
                continue
            job = self.cycle.book.jobs[name]
            if self._yields(job, claimant, -negative):
                yield Yield(job, ())

    def _yields(self, job: Job, claimant: Job, surplus: float) -> bool:
        """A promise takes from those without one, from lower tiers' surplus, and its own tier's if rested."""
        cycle = self.cycle
        if not cycle.promise(job):
            return True
        below = cycle.tiers[claimant.tier].rank - cycle.tiers[job.tier].rank
        if below < 0 or surplus <= 0 or not cycle.endures(job):
            return False
        return below > 0 or (
            job.priority <= claimant.priority
            and surplus > cycle.rules.same_tier_surplus
            and cycle.rested(job)
        )
