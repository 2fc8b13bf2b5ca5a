"""Elastic jobs: as many workers as fit, more where GPUs would idle."""

import heapq
from dataclasses import replace

from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.space import bits


def place_elastic(cycle: Cycle, job: Job, workers: int) -> Placement | None:
    """A placement for that many workers, or else for as many as fit, at least the job's minimum."""
    placement = cycle.place(job, workers)
    fit, none = job.smallest - 1, workers
    while placement is None and none - fit > 1:
        middle = (fit + none) // 2
        if cycle.place(job, middle) is None:
            none = middle
        else:
            fit = middle
        if none - fit == 1 and fit >= job.smallest:
            placement = cycle.place(job, fit)
    return placement


def refit(cycle: Cycle) -> None:
    """Give jobs whose owner has changed the number of workers what they ask for now, where there is room."""
    for job in (cycle.book.jobs[name] for name in sorted(cycle.book.misfit)):
        if not cycle.settled(job):
            continue
        cause = Cause("WorkersChanged", f"Has {len(job.placement)} workers and asks for {job.workers}.")
        cycle.assign(job, (), cause)
        placement = place_elastic(cycle, job, job.workers)
        if placement is None:
            cycle.unassign(job)
        else:
            cycle.assign(job, placement, cause)


def grow(cycle: Cycle) -> None:
    """Give idle GPUs to elastic jobs, worker by worker to the one with the smallest share of its asking."""
    if cycle.space.spare <= 0:
        return
    growing = [(_share(cycle, job), job.submitted, job.name) for job in _elastic(cycle)]
    heapq.heapify(growing)
    while growing and cycle.space.spare > 0:
        _, submitted, name = heapq.heappop(growing)
        job = cycle.book.jobs[name]
        if _extend(cycle, job):
            heapq.heappush(growing, (_share(cycle, job), submitted, name))


def _share(cycle: Cycle, job: Job) -> float:
    return len(cycle.placement(job)) / job.workers


def _elastic(cycle: Cycle) -> list[Job]:
    """Elastic jobs that run and are rested, or are started by this plan; not those that must leave a node."""
    book = cycle.book
    running = [j for j in map(book.jobs.__getitem__, book.elastic) if cycle.rested(j) and cycle.settled(j)]
    started = [j for j in map(book.jobs.__getitem__, cycle.target) if j.elastic and cycle.placement(j)]
    return [j for j in running + started if cycle.stays(cycle.placement(j))]


def _outside(cycle: Cycle, job: Job) -> int:
    """The nodes that the job may not grow onto: those of other domains than the one it must stay within."""
    levels = cycle.space.levels
    if job.topology is None or not job.topology.required or job.topology.level not in levels:
        return 0
    level = levels.index(job.topology.level)
    domain = cycle.space.domain_of[level][cycle.space.number[cycle.placement(job)[0]]]
    return ~cycle.space.members[level][domain]


def lacking(cycle: Cycle, job: Job) -> Job:
    """The workers that a running job asks for and has not, as a job that must be placed near the others."""
    more = replace(job, workers=job.workers - len(cycle.placement(job)), min_workers=None, max_workers=None)
    outside = _outside(cycle, job)
    if not outside:
        return more
    inside = frozenset(cycle.space.nodes[i].name for i in bits(~outside))
    return replace(more, allowed=inside if job.allowed is None else inside & job.allowed)


def _extend(cycle: Cycle, job: Job) -> bool:
    """One more worker; False when there is no room or it has all it can use."""
    placement = cycle.placement(job)
    more = cycle.place(job, 1, _outside(cycle, job)) if len(placement) < job.largest else None
    if more is None:
        return False
    cause = cycle.cause.get(job.name) or Cause("IdleGPUs", "Grows onto GPUs that nobody else can use.")
    # Last come, first to go: shrinking must not leave a job elsewhere than it was before it grew.
    cycle.assign(job, placement + more, cause)
    return True
