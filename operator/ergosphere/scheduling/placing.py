"""Where a gang goes: the fewest nodes, then the fewest domains of each topology level, then the tightest."""

from collections.abc import Iterator, Mapping, Sequence

from ergosphere.scheduling.model import Job, Placement
from ergosphere.scheduling.space import Space, bits

Pick = tuple[int, int]
"""A node's number and the number of workers it hosts."""

Shelf = Sequence[int]
"""The nodes with each number of free GPUs."""


def accepted(space: Space, job: Job) -> int:
    """The nodes that the job may be given, full ones included."""
    nodes = space.usable
    if job.gpu_types:
        nodes &= _union(space.types.get(kind, 0) for kind in job.gpu_types)
    if job.platforms:
        nodes &= _union(space.platforms.get(platform, 0) for platform in job.platforms)
    if job.allowed is not None:
        nodes &= _union(1 << space.number[name] for name in job.allowed if name in space.number)
    if job.excluded:
        nodes &= ~_union(1 << space.number[name] for name in job.excluded if name in space.number)
    return nodes


def _union(sets: Iterator[int] | Sequence[int]) -> int:
    total = 0
    for one in sets:
        total |= one
    return total


def place(space: Space, job: Job, workers: int, avoid: int = 0) -> Placement | None:
    """A placement for that many workers of the job on free GPUs, or None. Changes nothing.

    `avoid` is a set of nodes to leave alone.
    """
    if job.topology and job.topology.level not in space.levels:
        return None
    if not job.gpus_per_worker:
        return _light(space, job, accepted(space, job) & ~avoid, workers)
    if job.gpus_per_worker * workers > space.spare:
        return None
    nodes = accepted(space, job) & ~avoid if avoid else accepted(space, job)
    for shelf in shelves(space.buckets, job):
        one = _tightest(shelf, nodes, job.gpus_per_worker * workers)
        if one is not None:
            return (space.nodes[one].name,) * workers
        picks = _on_many(space, shelf, nodes, job, workers) if workers > 1 else None
        if picks is not None:
            return tuple(space.nodes[i].name for i, count in sorted(picks) for _ in range(count))
    return None


def shelves(by_type: Mapping[str, Shelf], job: Job) -> Iterator[Shelf]:
    """Each GPU type alone, then, for a job that accepts several, all together."""
    kinds = sorted(k for k in by_type if not job.gpu_types or k in job.gpu_types)
    for kind in kinds:
        yield by_type[kind]
    if len(kinds) > 1 and job.workers > 1:
        yield [_union(same) for same in zip(*(by_type[kind] for kind in kinds), strict=True)]


def ever(space: Space, job: Job, workers: int) -> bool:
    """Whether so many workers of the job would fit if the fleet were empty."""
    nodes = accepted(space, job)
    if job.topology and job.topology.level not in space.levels:
        return False
    if not job.gpus_per_worker:
        return nodes > 0
    return any(
        room(sizes, some, job.gpus_per_worker, workers) >= workers
        for sizes in shelves(space.sizes, job)
        for some in within(space, job, nodes)
    )


def within(space: Space, job: Job, nodes: int) -> list[int]:
    """The nodes, by the domains that all workers of the job must be in one of."""
    if job.topology is None or not job.topology.required:
        return [nodes]
    return [nodes & domain for domain in space.members[space.levels.index(job.topology.level)]]


def _tightest(shelf: Shelf, nodes: int, gpus: int) -> int | None:
    """The first of the nodes with the least room that is enough."""
    for free in range(gpus, len(shelf)):
        fitting = shelf[free] & nodes
        if fitting:
            return (fitting & -fitting).bit_length() - 1
    return None


def room(shelf: Shelf, nodes: int, gpus_per_worker: int, enough: int) -> int:
    """How many workers fit on these nodes, counted until it is enough."""
    total = 0
    for free in range(len(shelf) - 1, gpus_per_worker - 1, -1):
        fitting = shelf[free] & nodes
        if fitting:
            total += fitting.bit_count() * (free // gpus_per_worker)
            if total >= enough:
                break
    return total


def _greedy(shelf: Shelf, nodes: int, gpus: int, workers: int) -> list[Pick] | None:
    """The fewest nodes: those with the most room first, and the tightest fit for the last."""
    picks: list[Pick] = []
    left = workers
    for free in range(len(shelf) - 1, gpus - 1, -1):
        each = free // gpus
        for i in bits(shelf[free] & nodes):
            if left < each:
                break
            picks.append((i, each))
            left -= each
        if not left:
            return picks
        if left < each:
            used = _union(1 << i for i, _ in picks)
            last = _tightest(shelf, nodes & ~used, left * gpus)
            if last is not None:
                return [*picks, (last, left)]
    return None


def _on_many(space: Space, shelf: Shelf, nodes: int, job: Job, workers: int) -> list[Pick] | None:
    gpus = job.gpus_per_worker
    if room(shelf, nodes, gpus, workers) < workers:
        return None
    wide = _greedy(shelf, nodes, gpus, workers)
    if wide is None:
        return None
    wanted = space.levels.index(job.topology.level) if job.topology else -1
    for level in range(len(space.levels) - 1, -1, -1):
        if level < wanted and job.topology and job.topology.required:
            return None
        best: list[Pick] | None = None
        for domain in domains(space, level, gpus * workers):
            picks = _greedy(shelf, nodes & domain, gpus, workers)
            if picks is not None and len(picks) == len(wide):
                return picks
            if picks is not None and (best is None or len(picks) < len(best)):
                best = picks
        if best is not None and level <= wanted:
            return best
    return None if job.topology and job.topology.required else wide


def domains(space: Space, level: int, gpus: int) -> Iterator[int]:
    """The domains of a level with that many GPUs free, the tightest first."""
    domains = space.with_total[level]
    for total in sorted(total for total in domains if total >= gpus):
        for domain in bits(domains[total]):
            yield space.members[level][domain]


def _light(space: Space, job: Job, nodes: int, workers: int) -> Placement | None:
    """Workers without GPUs go where the fewest of them are, to nodes without GPUs first."""
    order = sorted(bits(nodes), key=lambda i: (space.nodes[i].gpus > 0, space.light[i], i))
    if not order:
        return None
    if job.topology:
        of = space.domain_of[space.levels.index(job.topology.level)]
        order = [i for i in order if of[i] == of[order[0]]]
    return tuple(sorted(space.nodes[order[rank % len(order)]].name for rank in range(workers)))
