"""Jobs that cannot stay where they are: suspended, on lost or taken nodes, on nodes being emptied."""

from ergosphere.scheduling.cycle import Cause, Cycle
from ergosphere.scheduling.elasticity import place_elastic
from ergosphere.scheduling.model import Job, State
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
    names = {name for node in book.on if space.lost(node) for name in book.on[node]}
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
    space, book = cycle.space, cycle.book
    cordoned = {n.name for n in space.nodes if n.cordoned and n.ready and n.name in book.on}
    names = {name for node in cordoned for name in book.on[node] if name in book.placed}
    for job in sorted((book.placed[n] for n in names), key=lambda j: by_tier(j, cycle.tiers)):
        if not cycle.settled(job):
            continue
        left = ", ".join(sorted(cordoned & set(job.placement)))
        cause = Cause("NodeCordoned", f"Leaves {left}, which is being emptied.")
        cycle.assign(job, (), cause)
        placement = place_elastic(cycle, job, len(job.placement))
        if placement is None:
            cycle.unassign(job)
        else:
            cycle.assign(job, placement, cause)
