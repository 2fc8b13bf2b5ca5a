"""Which promises are made: never more than the fleet can keep.

A promise that was made is kept, so jobs admitted once stay admitted. The others wait for room and run
meanwhile on GPUs that nobody was promised.

A tier that promises the fraction p is given promises while at most p x p of the fleet is promised in all:
its jobs' asking then fills p of the fleet, so that they can have their turns, and higher tiers find room.
"""

from collections.abc import Iterable, Mapping

from ergosphere.scheduling.model import Job, Tier


class Admission:
    """Promised GPUs by the set of GPU types they may come from, against what the fleet has of those types."""

    def __init__(self, capacity: Mapping[str, int], tiers: Mapping[str, Tier]) -> None:
        self.tiers = tiers
        self.capacity = dict(capacity)
        self.all = frozenset(self.capacity)
        self.promised: dict[frozenset[str], float] = {}

    def _kinds(self, types: frozenset[str]) -> frozenset[str]:
        return types & self.all if types else self.all

    def count(self, tier: str, types: frozenset[str], gpus: int) -> None:
        """Reckon with promises that were made to jobs of a tier asking for these GPUs."""
        kinds = self._kinds(types)
        self.promised[kinds] = self.promised.get(kinds, 0.0) + self.tiers[tier].promise * gpus

    def room(self, tier: str, types: frozenset[str]) -> tuple[float, float]:
        """GPUs promised out of these types alone, and the most that may be when the tier promises."""
        kinds = self._kinds(types)
        made = sum(gpus for others, gpus in self.promised.items() if others <= kinds)
        return made, self.tiers[tier].promise ** 2 * sum(self.capacity[kind] for kind in kinds)

    def admits(self, job: Job) -> bool:
        """Whether one more promise can be kept; a job alone is promised what it asks even of a full fleet."""
        more = self.tiers[job.tier].promise * job.workers * job.gpus_per_worker
        for types in (job.gpu_types, self.all) if job.gpu_types else (self.all,):
            made, most = self.room(job.tier, types)
            if made and made + more > most + 1e-6:
                return False
        return True

    def admit(self, jobs: Iterable[Job]) -> list[Job]:
        """Make what promises can be made to these jobs, in this order, and say to whom."""
        admitted = []
        for job in jobs:
            if self.admits(job):
                self.count(job.tier, job.gpu_types, job.workers * job.gpus_per_worker)
                admitted.append(job)
        return admitted
