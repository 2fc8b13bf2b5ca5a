"""The free GPUs of the fleet, indexed for placing gangs.

Nodes are numbered by topology and name, and every set of nodes is one integer with a bit for each. The nodes
of a GPU type with `f` GPUs free are one such set, so the first node with room, or the number of nodes with
room, takes a few operations on long integers even for tens of thousands of nodes.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ergosphere.scheduling.model import Node, Placement

Key = TypeVar("Key", bound=Hashable)


def bits(nodes: int) -> Iterator[int]:
    """The numbers in a set of nodes, ascending."""
    while nodes:
        low = nodes & -nodes
        yield low.bit_length() - 1
        nodes ^= low


def sets(keys: Iterable[Key]) -> dict[Key, int]:
    """For each key the set of its positions; made at once, as each change to a set copies all of it."""
    listed = list(keys)
    flags: dict[Key, bytearray] = {}
    for i, key in enumerate(listed):
        if key not in flags:
            flags[key] = bytearray(len(listed) // 8 + 1)
        flags[key][i >> 3] |= 1 << (i & 7)
    return {key: int.from_bytes(marked, "little") for key, marked in flags.items()}


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
        self.usable = sets(_open(n) for n in ordered).get(True, 0)
        self.capacity: Counter[str] = Counter()
        self.alive = {n.name for n in ordered if n.ready}
        self.types = sets(n.gpu_type for n in ordered)
        self.platforms = sets(n.platform for n in ordered)
        self._domains()
        for placement, gpus in taken:
            for i in (self.number[name] for name in placement if name in self.number):
                self.free[i] -= gpus
                self.light[i] += not gpus
        self.over = {i for i, free in enumerate(self.free) if free < 0}
        self._fill(self.buckets, self.free)
        self._fill(self.sizes, [n.gpus - n.foreign for n in ordered])
        for node in filter(_open, ordered):
            self.capacity[node.gpu_type] += max(0, node.gpus - node.foreign)
        self._sum()

    def _fill(self, shelves: dict[str, list[int]], gpus: Sequence[int]) -> None:
        """Put all usable nodes into an index by numbers of GPUs."""
        places = zip(self.nodes, gpus, strict=True)
        keys = ((n.gpu_type, min(max(0, g), self.most)) if _open(n) else None for n, g in places)
        for key, nodes in sets(keys).items():
            if key is not None:
                shelves.setdefault(key[0], [0] * (self.most + 1))[key[1]] = nodes

    def _domains(self) -> None:
        """Number the domains of each level; a domain is its whole path: names may repeat across parents."""
        self.domain_of: list[list[int]] = []
        self.members: list[list[int]] = []
        for level in range(len(self.levels)):
            paths: dict[tuple[str, ...], int] = {}
            of = [paths.setdefault(n.domains[: level + 1], len(paths)) for n in self.nodes]
            members = sets(of)
            self.domain_of.append(of)
            self.members.append([members[domain] for domain in range(len(paths))])

    def _sum(self) -> None:
        """Sum up what is free on usable nodes, and put the domains of each level into an index by that."""
        spare = [max(0, free) if _open(n) else 0 for n, free in zip(self.nodes, self.free, strict=True)]
        self.spare = sum(spare)
        self.total = [[0] * len(members) for members in self.members]
        for of, total in zip(self.domain_of, self.total, strict=True):
            for domain, free in zip(of, spare, strict=True):
                total[domain] += free
        self.with_total = [sets(total) for total in self.total]

    def _reopen(self, i: int) -> None:
        node = self.nodes[i]
        if _open(node):
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
        self._spare(i, sign * free)

    def _spare(self, i: int, gpus: int) -> None:
        """Count so many more GPUs as free."""
        self.spare += gpus
        for of, total, domains in zip(self.domain_of, self.total, self.with_total, strict=True):
            before = total[of[i]]
            after = total[of[i]] = before + gpus
            domains[before] ^= 1 << of[i]
            domains[after] = domains.get(after, 0) ^ 1 << of[i]
            if not domains[before]:
                del domains[before]

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
        self._reopen(i)

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
        self._spare(i, after - before)


def _open(node: Node) -> bool:
    return node.ready and not node.cordoned
