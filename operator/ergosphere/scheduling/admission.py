"""Which promises are made: never more than the fleet can keep.

A promise that was made is kept, so jobs admitted once stay admitted. The others wait for room and run
meanwhile on GPUs that nobody was promised.

A tier that promises the fraction p is given promises while the jobs that hold one, of any tier, ask for at
most p of the fleet. They can then all run at once: gangs of many sizes cannot be relied upon to take turns in
time. Whatever is left beyond that is for higher tiers.
"""

from collections.abc import Iterable, Mapping

from ergosphere.scheduling.model import Job, Tier


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
        """
        for kinds in self._unions(self._kinds(types)):
            made = sum(asked for others, asked in self.asked.items() if others <= kinds)
            capacity = sum(self.capacity[kind] for kind in kinds)
            most = self.tiers[tier].promise * capacity if made else capacity
            if made + gpus > most + 1e-6:
                return made, most
        return None

    def _unions(self, kinds: frozenset[str]) -> list[frozenset[str]]:
        """The request's types, joined with what overlaps them, the fewest first; and all."""
        found, new = {self.all}, {kinds}
        while new:
            found |= new
            joined = {others | union for others in self.asked for union in new if others & union}
            new = joined - found
        return sorted(found, key=lambda union: (len(union), sorted(union)))

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
