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
        kinds = self._kinds(types)
        self.asked[kinds] = self.asked.get(kinds, 0) + gpus

    def room(self, tier: str, types: frozenset[str]) -> tuple[int, float]:
        """GPUs asked for out of these types alone, and the most that may be when the tier promises."""
        kinds = self._kinds(types)
        made = sum(gpus for others, gpus in self.asked.items() if others <= kinds)
        return made, self.tiers[tier].promise * sum(self.capacity[kind] for kind in kinds)

    def admits(self, tier: str, types: frozenset[str], gpus: int) -> bool:
        """Whether one more promise can be kept; a job alone may be promised all of the fleet."""
        for kinds in (types, self.all) if types else (self.all,):
            made, most = self.room(tier, kinds)
            if not made:
                most = sum(self.capacity[kind] for kind in self._kinds(kinds))
            if made + gpus > most + 1e-6:
                return False
        return True

    def admit(self, jobs: Iterable[Job]) -> list[Job]:
        """Make what promises can be made to these jobs, in this order, and say to whom."""
        admitted = []
        refused: set[tuple[str, frozenset[str], int]] = set()
        for job in jobs:
            request = job.tier, job.gpu_types, job.workers * job.gpus_per_worker
            if request in refused:
                continue
            if self.admits(*request):
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
                known[request] = self.admits(*request)
            if known[request]:
                found.append(job)
        return found
