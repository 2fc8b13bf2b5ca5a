"""The free GPUs of the fleet, indexed for placing gangs.

Nodes are numbered by topology and name, and every set of nodes is one integer with a bit for each. The nodes
of a GPU type with `f` GPUs free are one such set, so the first node with room, or the number of nodes with
room, takes a few operations on long integers even for tens of thousands of nodes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ergosphere.scheduling.model import Node, Placement


def bits(nodes: int) -> Iterator[int]:
    """The numbers in a set of nodes, ascending."""
    while nodes:
        low = nodes & -nodes
        yield low.bit_length() - 1
        nodes ^= low


class Space:
    """Free GPUs by node. Placements may overlap lost nodes and may overbook: `free` is then negative."""

    def __init__(
        self, nodes: Mapping[str, Node], levels: Sequence[str], taken: Iterable[tuple[Placement, int]] = ()
    ) -> None:
        """`taken` holds placements and the GPUs a worker of each."""
        ordered = sorted(nodes.values(), key=lambda n: (n.domains, n.name))
        self.levels = tuple(levels)
        self.nodes: list[Node] = ordered
        self.number = {n.name: i for i, n in enumerate(ordered)}
        self.most = max((n.gpus for n in ordered), default=0)
        self.free = [n.gpus - n.foreign for n in ordered]
        self.light = [0] * len(ordered)
        """Workers without GPUs on each node."""
        self.buckets: dict[str, list[int]] = {}
        """By GPU type: the usable nodes with each number of free GPUs."""
        self.sizes: dict[str, list[int]] = {}
        """By GPU type: the usable nodes with each number of GPUs, were they empty."""
        self.usable = 0
        self.capacity: Counter[str] = Counter()
        self.spare = 0
        self.over: set[int] = set()
        self.alive = {n.name for n in ordered if n.ready}
        self.types: dict[str, int] = {}
        self.platforms: dict[str, int] = {}
        self._domains()
        for placement, gpus in taken:
            for i in (self.number[name] for name in placement if name in self.number):
                self.free[i] -= gpus
                self.light[i] += not gpus
        for i, node in enumerate(ordered):
            self.types[node.gpu_type] = self.types.get(node.gpu_type, 0) | 1 << i
            self.platforms[node.platform] = self.platforms.get(node.platform, 0) | 1 << i
            self._mark(i)
            self._open(i)

    def _domains(self) -> None:
        """Number the domains of each level; a domain is its whole path: names may repeat across parents."""
        self.domain_of: list[list[int]] = []
        self.members: list[list[int]] = []
        self.total: list[list[int]] = []
        for level in range(len(self.levels)):
            paths: dict[tuple[str, ...], int] = {}
            of = [paths.setdefault(n.domains[: level + 1], len(paths)) for n in self.nodes]
            members = [0] * len(paths)
            for i, domain in enumerate(of):
                members[domain] |= 1 << i
            self.domain_of.append(of)
            self.members.append(members)
            self.total.append([0] * len(paths))

    def _open(self, i: int) -> None:
        node = self.nodes[i]
        if node.ready and not node.cordoned:
            self.usable |= 1 << i
            self.capacity[node.gpu_type] += max(0, node.gpus - node.foreign)
            self._shelve(i, self.free[i], 1)

    def _close(self, i: int) -> None:
        node = self.nodes[i]
        if self.usable >> i & 1:
            self.usable ^= 1 << i
            self.capacity[node.gpu_type] -= max(0, node.gpus - node.foreign)
            self._shelve(i, self.free[i], -1)

    def _shelve(self, i: int, free: int, sign: int) -> None:
        """Add or remove a usable node in the index."""
        free = max(0, free)
        self._flip(self.buckets, i, free)
        self._flip(self.sizes, i, max(0, self.nodes[i].gpus - self.nodes[i].foreign))
        self.spare += sign * free
        for of, total in zip(self.domain_of, self.total, strict=True):
            total[of[i]] += sign * free

    def _flip(self, shelves: dict[str, list[int]], i: int, gpus: int) -> None:
        shelf = shelves.setdefault(self.nodes[i].gpu_type, [0] * (self.most + 1))
        shelf[min(gpus, self.most)] ^= 1 << i

    def fits(self, node: Node) -> bool:
        """Whether `replace` can take the node without a new index."""
        i = self.number.get(node.name)
        if i is None or node.gpus > self.most:
            return False
        old = self.nodes[i]
        return (old.domains, old.gpu_type, old.platform) == (node.domains, node.gpu_type, node.platform)

    def replace(self, node: Node) -> None:
        """Take a node's new state; see `fits`."""
        i = self.number[node.name]
        self._close(i)
        old = self.nodes[i]
        self.nodes[i] = node
        (self.alive.add if node.ready else self.alive.discard)(node.name)
        self.free[i] += (node.gpus - node.foreign) - (old.gpus - old.foreign)
        self._mark(i)
        self._open(i)

    def _mark(self, i: int) -> None:
        if self.free[i] < 0:
            self.over.add(i)
        else:
            self.over.discard(i)

    def take(self, placement: Placement, gpus: int, sign: int = 1) -> None:
        """Occupy a placement with `gpus` a worker, or give it back with sign -1; skips unknown nodes."""
        if len(placement) == 1:
            items: Iterable[tuple[str, int]] = ((placement[0], 1),)
        else:
            items = Counter(placement).items()
        for name, workers in items:
            i = self.number.get(name)
            if i is not None:
                self._shift(i, -sign * gpus * workers, sign * workers if not gpus else 0)

    def _shift(self, i: int, gpus: int, light: int) -> None:
        self.light[i] += light
        if gpus:
            before = self.free[i]
            after = self.free[i] = before + gpus
            if before < 0 or after < 0:
                self._mark(i)
            if self.usable >> i & 1:
                self._reshelve(i, before if before > 0 else 0, after if after > 0 else 0)

    def _reshelve(self, i: int, before: int, after: int) -> None:
        shelf = self.buckets[self.nodes[i].gpu_type]
        bit = 1 << i
        shelf[before if before < self.most else self.most] ^= bit
        shelf[after if after < self.most else self.most] ^= bit
        self.spare += after - before
        for of, total in zip(self.domain_of, self.total, strict=True):
            total[of[i]] += after - before
