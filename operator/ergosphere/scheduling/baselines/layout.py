"""First-fit placement as in the published simulators of Tiresias (NSDI 19) and Muri (SIGCOMM 22).

A job that fits one node goes to the first node with room; a larger one to the first fully idle nodes.
"""

from collections import Counter
from collections.abc import Iterable

from ergosphere.scheduling.model import Job, Node, Placement


class Layout:
    """Free GPUs on the nodes that may be used, in the order given."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        usable = [n for n in nodes if n.ready and not n.cordoned]
        self.size = {n.name: n.gpus - n.foreign for n in usable}
        self.free = dict(self.size)
        self.left = sum(self.free.values())
        self.largest = max(self.size.values(), default=0)

    def take(self, job: Job, placement: Placement) -> None:
        """Occupy the placement, which must consist of usable nodes."""
        for node in placement:
            self.free[node] -= job.gpus_per_worker
        self.left -= job.gpus_per_worker * len(placement)

    def holds(self, placement: Placement) -> bool:
        """Whether all nodes of the placement may be used."""
        return all(node in self.free for node in placement)

    def place(self, job: Job) -> Placement | None:
        """The job's placement, already occupied; None when it does not fit."""
        gpus = job.workers * job.gpus_per_worker
        if gpus > self.left:
            return None
        placement = self._one(job, gpus) if gpus <= self.largest else self._idle(job)
        if placement is not None:
            self.take(job, placement)
        return placement

    def _one(self, job: Job, gpus: int) -> Placement | None:
        for node, free in self.free.items():
            if free >= gpus:
                return (node,) * job.workers
        return None

    def _idle(self, job: Job) -> Placement | None:
        placement: list[str] = []
        for node, free in self.free.items():
            if free and free == self.size[node]:
                room = min(free // job.gpus_per_worker, job.workers - len(placement))
                placement += [node] * room
                if len(placement) == job.workers:
                    return tuple(placement)
        return None


def same(one: Placement, other: Placement) -> bool:
    """Whether two placements differ only in which rank is where."""
    return one == other or Counter(one) == Counter(other)
