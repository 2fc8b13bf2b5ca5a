"""The index of jobs."""

import heapq
import math
from collections import Counter, defaultdict

from ergosphere.scheduling.model import Job, State

Shape = tuple[object, ...]
"""What a job needs of the fleet: jobs of one shape fit or do not fit alike."""


def shape(job: Job) -> Shape:
    """The job's shape."""
    return (
        job.workers,
        job.gpus_per_worker,
        job.smallest,
        job.gpu_types,
        job.platforms,
        job.allowed,
        job.excluded,
        job.topology,
    )


class Book:
    """All jobs by name, and by what a plan asks of them. Sets are unordered: sort what you take from them."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.waiting: dict[str, Job] = {}
        self.placed: dict[str, Job] = {}
        self.suspended: dict[str, Job] = {}
        self.unadmitted: dict[str, Job] = {}
        self.unpromised: set[str] = set()
        """Those of `placed` that no promise was made to."""
        self.shapes: dict[str, Shape] = {}
        self.guesses: dict[str, tuple[float, float]] = {}
        """What plans expected of jobs, and until when that holds if they do not change; see `order`."""
        self.elastic: set[str] = set()
        self.misfit: set[str] = set()
        """Those of `placed` that have fewer or more workers than they may."""
        self.leavers: set[str] = set()
        """Those of `placed` whose owners want them elsewhere."""
        self._told: list[tuple[float, str]] = []
        self._recent: list[tuple[float, str]] = []
        """A heap of when jobs were placed that have not rested; `_told` were placed since the last plan."""
        self.on: defaultdict[str, set[str]] = defaultdict(set)
        self.leaving: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """GPUs by job on each node that they are still to leave."""
        self.admitted: Counter[frozenset[str]] = Counter()
        """GPUs asked for by admitted jobs, by acceptable GPU types."""

    def put(self, job: Job) -> None:
        """Add a job, or replace the one of that name."""
        if job.name in self.jobs:
            self.drop(job.name)
        self.jobs[job.name] = job
        self.shapes[job.name] = shape(job)
        if job.admitted is None and job.state is not State.SUSPENDED:
            self.unadmitted[job.name] = job
        if job.state is State.SUSPENDED:
            self.suspended[job.name] = job
        elif job.placement:
            self._place(job)
        else:
            self.waiting[job.name] = job
        for node in dict.fromkeys(job.placement):
            self.on[node].add(job.name)
        for node in job.leaving:
            self.leaving[node][job.name] += job.gpus_per_worker
        self._count(job, 1)

    def _place(self, job: Job) -> None:
        self.placed[job.name] = job
        self._told.append((job.started, job.name))
        for holds, names in (
            (job.elastic, self.elastic),
            (job.admitted is None, self.unpromised),
            (not job.smallest <= len(job.placement) <= job.largest, self.misfit),
            (job.relocation is not None, self.leavers),
        ):
            if holds:
                names.add(job.name)

    def drop(self, name: str) -> Job:
        """Forget a job; raises `KeyError` when there is none of that name."""
        job = self.jobs.pop(name)
        del self.shapes[name]
        self.guesses.pop(name, None)
        self.unadmitted.pop(name, None)
        self.waiting.pop(name, None)
        self.placed.pop(name, None)
        self.suspended.pop(name, None)
        self.elastic.discard(name)
        self.unpromised.discard(name)
        self.misfit.discard(name)
        self.leavers.discard(name)
        for node in dict.fromkeys(job.placement):
            self._forget(node, name)
        for node in dict.fromkeys(job.leaving):
            del self.leaving[node][name]
            if not self.leaving[node]:
                del self.leaving[node]
        self._count(job, -1)
        return job

    def rested_at(self, now: float, rest_s: float) -> float:
        """When the first job will have been placed for `rest_s` that has not been yet; infinite if all have.

        `now` never goes back.
        """
        for placed in self._told:
            if placed[0] + rest_s > now:
                heapq.heappush(self._recent, placed)
        self._told.clear()
        recent = self._recent
        while recent and (recent[0][0] + rest_s <= now or not self._current(*recent[0])):
            heapq.heappop(recent)
        return recent[0][0] + rest_s if recent else math.inf

    def _current(self, started: float, name: str) -> bool:
        return name in self.placed and self.placed[name].started == started

    def _count(self, job: Job, sign: int) -> None:
        if job.admitted is not None and job.state is not State.SUSPENDED:
            self.admitted[job.gpu_types] += sign * job.workers * job.gpus_per_worker
            if not self.admitted[job.gpu_types]:
                del self.admitted[job.gpu_types]

    def _forget(self, node: str, name: str) -> None:
        self.on[node].discard(name)
        if not self.on[node]:
            del self.on[node]
