"""Which promises are made: never more than the fleet can keep.

A promise that was made is kept, so jobs admitted once stay admitted. The others wait for room and run
meanwhile on GPUs that nobody was promised.

A tier that promises the fraction p is given promises while the jobs that hold one, of any tier, ask for at
most p of the fleet. They can then all run at once: gangs of many sizes cannot be relied upon to take turns in
time. Whatever is left beyond that is for higher tiers.
"""

from collections.abc import Iterable, Mapping

from ergosphere.scheduling.flow import tightest
from ergosphere.scheduling.model import Job, Tier

FEW_TYPES = 14
MANY_UNIONS = 256
"""More unions than these are looked at each only of few types, and only to say why there is no room."""


class Admission:
    """What jobs with a promise ask for, by the GPU types they accept, against what the fleet has of those."""

    def __init__(self, capacity: Mapping[str, int], tiers: Mapping[str, Tier]) -> None:
        self.tiers = tiers
        self.capacity = {kind: gpus for kind, gpus in capacity.items() if gpus}
        self.all = frozenset(self.capacity)
        self.asked: dict[frozenset[str], int] = {}

    def _kinds(self, types: frozenset[str]) -> frozenset[str]:
        return types & self.all if types else self.all

    def count(self, types: frozenset[str], gpus: int) -> None:
        """Reckon with jobs that hold a promise and ask for these GPUs."""
        if not gpus:
            return
        kinds = self._kinds(types)
        self.asked[kinds] = self.asked.get(kinds, 0) + gpus

    def limit(self, tier: str, types: frozenset[str], gpus: int) -> tuple[int, float] | None:
        """What stands against one more promise: GPUs promised out of some types, and the most that may be.

        None if it can be kept: within every union of types that it has a part in, since whoever accepts
        several types may be served from any. A job alone may be promised all of the fleet.

        Where there are very many such unions, of more than FEW_TYPES types, a job alone may not, and types
        that it has no part in stand against it if more of them is promised than its tier may be: rather too
        little is promised than too much.
        """
        wanted = self._kinds(types)
        if unions := self._unions(wanted, MANY_UNIONS):
            return self._exceeded(unions, tier, gpus)
        against = self._exceeded([self._tightest(wanted, self.tiers[tier].promise)], tier, gpus, alone=False)
        if against and len(self.all) <= FEW_TYPES:
            return self._exceeded(self._unions(wanted, 1 << FEW_TYPES), tier, gpus)
        return against

    def _exceeded(
        self, unions: list[frozenset[str]], tier: str, gpus: int, *, alone: bool = True
    ) -> tuple[int, float] | None:
        """What is promised out of the first of these that one more promise would exceed, and its most."""
        for kinds in unions:
            made = sum(asked for others, asked in self.asked.items() if others <= kinds)
            capacity = sum(self.capacity[kind] for kind in kinds)
            most = capacity if alone and not made else self.tiers[tier].promise * capacity
            if made + gpus > most + 1e-6:
                return made, most
        return None

    def _unions(self, kinds: frozenset[str], most: int) -> list[frozenset[str]]:
        """The request's types, joined with what overlaps them, the fewest first; and all; or nothing."""
        found, new = {self.all}, {kinds}
        while new:
            found |= new
            if len(found) > most:
                return []
            joined = {others | union for others in self.asked for union in new if others & union}
            new = joined - found
        return sorted(found, key=lambda union: (len(union), sorted(union)))

    def _tightest(self, kinds: frozenset[str], promise: float) -> frozenset[str]:
        return tightest(self.asked, {kind: promise * gpus for kind, gpus in self.capacity.items()}, kinds)

    def admit(self, jobs: Iterable[Job]) -> list[Job]:
        """Make what promises can be made to these jobs, in this order, and say to whom."""
        admitted = []
        refused: set[tuple[str, frozenset[str], int]] = set()
        for job in jobs:
            request = job.tier, job.gpu_types, job.workers * job.gpus_per_worker
            if request in refused:
                continue
            if self.limit(*request) is None:
                self.count(*request[1:])
                admitted.append(job)
            else:
                refused.add(request)
        return admitted

    def possible(self, jobs: Iterable[Job]) -> list[Job]:
        """Those that could be admitted if they came first: each promise made only leaves less room."""
        known: dict[tuple[str, frozenset[str], int], bool] = {}
        found = []
        for job in jobs:
            request = job.tier, job.gpu_types, job.workers * job.gpus_per_worker
            if request not in known:
                known[request] = self.limit(*request) is None
            if known[request]:
                found.append(job)
        return found
