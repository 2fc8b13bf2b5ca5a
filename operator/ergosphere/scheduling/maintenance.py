"""Jobs that cannot stay where they are: suspended, on lost or taken nodes, on nodes being emptied.

And those whose owners want them elsewhere.
"""

from collections.abc import Iterable
from dataclasses import replace

from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.elasticity import place_elastic
from ergosphere.scheduling.explanation import needs
from ergosphere.scheduling.model import Job, Placement, Relocation, State, Waiting
from ergosphere.scheduling.order import by_tier


def suspend(cycle: Cycle) -> None:
    """Let suspended jobs go."""
    for name in sorted(cycle.book.suspended):
        job = cycle.book.suspended[name]
        if job.placement:
            cycle.assign(job, (), Cause("Suspended", "Suspended by its owner."))


def salvage(cycle: Cycle) -> list[Job]:
    """Take from jobs with a lost node what they have left, and from starting ones what turned out taken."""
    space, book = cycle.space, cycle.book
    names = {name for node in book.on.keys() - space.alive for name in book.on[node]}
    stranded = sorted(
        (book.placed[n] for n in names if n in book.placed), key=lambda j: by_tier(j, cycle.tiers)
    )
    for job in stranded:
        cycle.assign(job, (), Cause("NodeLost", "A node of the job is lost, and no other has room."))
    return stranded + _overbooked(cycle)


def _overbooked(cycle: Cycle) -> list[Job]:
    space, book = cycle.space, cycle.book
    names = {name for i in space.over for name in book.on.get(space.nodes[i].name, ())}
    jobs = [book.placed[n] for n in names if n in book.placed and n not in cycle.target]
    dropped = []
    for job in sorted(jobs, key=lambda j: (-j.started, by_tier(j, cycle.tiers))):
        taken = any(space.free[space.number[node]] < 0 for node in job.placement)
        if taken and job.state is State.STARTING:
            cycle.assign(job, (), Cause("NodeTaken", "The GPUs it was given are in use by others."))
            dropped.append(job)
    return dropped


def evacuate(cycle: Cycle) -> None:
    """Move jobs off cordoned nodes; those for which there is no room stay for the time being."""
    for job, left in _to_leave(cycle):
        cause = Cause("NodeCordoned", f"Leaves {left}, which is being emptied.")
        cycle.assign(job, (), cause)
        placement = place_elastic(cycle, job, len(job.placement))
        if placement is None:
            cycle.unassign(job)
        else:
            cycle.assign(job, placement, cause)


def remain(cycle: Cycle) -> None:
    """Say of the jobs that stay on cordoned nodes what they wait for."""
    for job, left in _to_leave(cycle):
        message = f"Is to leave {left}, which is being emptied, and waits for {needs(job)}, elsewhere."
        cycle.waiting[job.name] = Waiting("NoRoomToLeave", message)


def _to_leave(cycle: Cycle) -> list[tuple[Job, str]]:
    """The jobs on cordoned nodes of which nothing is decided yet, and those nodes."""
    space, book = cycle.space, cycle.book
    cordoned = {n.name for n in space.nodes if n.cordoned and n.ready and n.name in book.on}
    names = {name for node in cordoned for name in book.on[node] if name in book.placed}
    jobs = sorted((book.placed[name] for name in names), key=lambda j: by_tier(j, cycle.tiers))
    return [(job, _listed(cordoned & set(job.placement))) for job in jobs if cycle.settled(job)]


def relocate(cycle: Cycle) -> None:
    """Move jobs whose owners want them elsewhere; say of those that must stay why."""
    leavers = (cycle.book.jobs[name] for name in cycle.book.leavers)
    wanted = [job for job in leavers if job.state is State.RUNNING]
    for job in sorted(wanted, key=lambda j: by_tier(j, cycle.tiers)):
        if job.relocation is None or not cycle.settled(job):
            continue
        cause = Cause("MigrationRequested", f"Leaves {_listed(job.placement)}, as its owner asks.")
        cycle.assign(job, (), cause)
        placement = _elsewhere(cycle, job, job.relocation)
        if placement is None:
            cycle.unassign(job)
            cycle.waiting[job.name] = _staying(cycle, job, job.relocation)
        else:
            cycle.assign(job, placement, cause)


def _elsewhere(cycle: Cycle, job: Job, wish: Relocation) -> Placement | None:
    """Room for the job on the nodes that it is to go to, which are others than its present ones."""
    here = 0 if wish.nodes else sum(1 << cycle.space.number[node] for node in set(job.placement))
    both = wish.nodes if job.allowed is None else wish.nodes & job.allowed
    narrowed = replace(job, allowed=both) if wish.nodes else job
    placement = cycle.place(narrowed, len(job.placement), here)
    return None if placement and set(placement) == set(job.placement) else placement


def _staying(cycle: Cycle, job: Job, wish: Relocation) -> Waiting:
    """Why a job is not where its owner wants it."""
    unknown = sorted(wish.nodes - cycle.space.number.keys())
    if unknown:
        return Waiting("NoSuchNode", f"Is to move, but there is no node {_listed(unknown)}.")
    if wish.nodes == set(job.placement):
        return Waiting("AlreadyThere", f"Is to move to {_listed(wish.nodes)}, where it runs.")
    where = _listed(wish.nodes) if wish.nodes else f"other nodes than {_listed(job.placement)}"
    return Waiting("NoRoomToMigrate", f"Is to move, and waits for {needs(job)}, of {where}.")


def _listed(nodes: Iterable[str]) -> str:
    return ", ".join(sorted(set(nodes)))
