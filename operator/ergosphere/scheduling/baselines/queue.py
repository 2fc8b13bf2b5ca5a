"""Baselines that serve one queue, to compare with.

FIFO, FIFO with backfill, shortest remaining time and service first (told the durations), Tiresias (NSDI 19:
discretised two-dimensional least attained service) and a Gandiva (OSDI 18) like round of time slices.
They ignore tiers, GPU types and topology.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ergosphere.scheduling.baselines.layout import Layout, same
from ergosphere.scheduling.model import (
    Action,
    Job,
    Migrate,
    Node,
    Placement,
    Plan,
    Preempt,
    Start,
    State,
    Waiting,
)

Key = Callable[[Job, float], tuple[float, ...]]
"""The order of the queue: the smallest first. Ties are broken by submission and name."""


Span = Callable[[Job, float], float]
"""A number of seconds from now on; infinite for ever."""


@dataclass(frozen=True, slots=True)
class Discipline:
    """How a queue is served.

    `preempts`: running jobs are compared with waiting ones at each plan, instead of keeping what they have.
    `skips`: a job that does not fit is passed over; otherwise all behind it wait.
    `holds_s`: how long a running job keeps its place in the order; without it, until something happens.
    """

    key: Key
    preempts: bool = False
    skips: bool = True
    holds_s: Span | None = None


class Queue:
    """A `Policy` that serves all jobs in one order."""

    def __init__(self, discipline: Discipline) -> None:
        self.discipline = discipline
        self.nodes: dict[str, Node] = {}
        self.jobs: dict[str, Job] = {}

    def put_node(self, node: Node) -> None:
        """See `Policy`."""
        self.nodes[node.name] = node

    def put(self, job: Job) -> None:
        """See `Policy`."""
        self.jobs[job.name] = job

    def drop(self, name: str) -> None:
        """See `Policy`."""
        del self.jobs[name]

    def plan(self, now: float) -> Plan:
        """See `Policy`."""
        key = self.discipline.key
        order = sorted(
            (j for j in self.jobs.values() if j.state is not State.SUSPENDED),
            key=lambda j: (*key(j, now), j.submitted, j.name),
        )
        wanted = self._choose(order)
        target = self._settle(wanted) or wanted
        look = self._look_again(order, now) if len(target) < len(order) else None
        return Plan(self._actions(order, target), self._waiting(order, target), look_again=look)

    def _look_again(self, order: list[Job], now: float) -> float | None:
        holds_s = self.discipline.holds_s
        if holds_s is None:
            return None
        again = min(
            (now + holds_s(job, now) for job in order if job.state is State.RUNNING), default=math.inf
        )
        return again if again < math.inf else None

    def _keeps(self, job: Job, layout: Layout) -> bool:
        return bool(job.placement) and not self.discipline.preempts and layout.holds(job.placement)

    def _choose(self, order: list[Job]) -> dict[str, Placement]:
        """The jobs that run, on a fleet emptied of all that may be preempted."""
        layout = Layout(self.nodes.values())
        chosen = {job.name: job.placement for job in order if self._keeps(job, layout)}
        for job in order:
            layout.take(job, chosen.get(job.name, ()))
        for job in order:
            if not layout.left:
                break
            if job.name not in chosen:
                placement = layout.place(job)
                if placement is not None:
                    chosen[job.name] = placement
                elif not self.discipline.skips:
                    break
        return chosen

    def _settle(self, wanted: dict[str, Placement]) -> dict[str, Placement] | None:
        """The same jobs with those that run left in place, if the others fit around them."""
        layout = Layout(self.nodes.values())
        settled: dict[str, Placement] = {}
        for name in wanted:
            job = self.jobs[name]
            if job.placement and layout.holds(job.placement):
                layout.take(job, job.placement)
                settled[name] = job.placement
        for name in wanted:
            if name not in settled:
                placement = layout.place(self.jobs[name])
                if placement is None:
                    return None
                settled[name] = placement
        return settled

    def _actions(self, order: list[Job], target: dict[str, Placement]) -> tuple[Action, ...]:
        preempted: list[Action] = []
        placed: list[Action] = []
        for job in order:
            placement = target.get(job.name, ())
            if job.placement and not placement:
                preempted.append(Preempt(job.name, "Outranked", "Others come first.", not self._lost(job)))
            elif placement and not job.placement:
                placed.append(Start(job.name, placement, "Fits", "It is its turn."))
            elif placement and self._lost(job):
                placed.append(Start(job.name, placement, "NodeLost", "A node of the job is lost."))
            elif placement and not same(placement, job.placement):
                placed.append(Migrate(job.name, placement, "Repacked", "Makes room for another job."))
        return (*preempted, *placed)

    def _lost(self, job: Job) -> bool:
        return any(n not in self.nodes or not self.nodes[n].ready for n in job.placement)

    def _waiting(self, order: list[Job], target: dict[str, Placement]) -> dict[str, Waiting]:
        return {j.name: Waiting("Queued", "Others come first.") for j in order if j.name not in target}


def remaining_s(job: Job, now: float) -> float:
    """Run time left; raises `ValueError` when the policy was not told."""
    if job.work_s is None:
        raise ValueError(f"job {job.name}: this policy must be told the durations")
    return job.work_s - (now - job.started if job.state is State.RUNNING else 0.0)


def attained_gpu_s(job: Job, now: float) -> float:
    """GPU-seconds received so far."""
    return job.ledger.attained(now) * job.gpus_per_worker


def level(value: float, limits: tuple[float, ...]) -> int:
    """The queue a value belongs to: the number of limits it has reached."""
    return sum(value >= limit for limit in limits)


TIRESIAS_LIMITS = (3600.0, 7200.0, 18000.0)
"""GPU-seconds at which a job falls to the next queue, as in the simulators of Tiresias and Muri."""

GANDIVA_SLICE_S = 1800.0
GANDIVA_LOOK_S = 300.0
"""Slices of many jobs end at as many times: they are looked for together."""


def _until_demoted_s(job: Job, now: float) -> float:
    attained = attained_gpu_s(job, now)
    limit = next((limit for limit in TIRESIAS_LIMITS if limit > attained), math.inf)
    return (limit - attained) / (len(job.placement) * job.gpus_per_worker)


FIFO = Discipline(lambda job, now: (), skips=False)
FIFO_BACKFILL = Discipline(lambda job, now: ())
SRTF = Discipline(lambda job, now: (remaining_s(job, now),), preempts=True)
SRSF = Discipline(
    lambda job, now: (remaining_s(job, now) * job.workers * job.gpus_per_worker,), preempts=True
)
TIRESIAS = Discipline(
    lambda job, now: (level(attained_gpu_s(job, now), TIRESIAS_LIMITS),),
    preempts=True,
    holds_s=_until_demoted_s,
)
GANDIVA = Discipline(
    lambda job, now: (job.ledger.attained(now) / job.workers // GANDIVA_SLICE_S,),
    preempts=True,
    holds_s=lambda job, now: GANDIVA_LOOK_S,
)

BASELINES = {
    "fifo": FIFO,
    "fifo-backfill": FIFO_BACKFILL,
    "srtf": SRTF,
    "srsf": SRSF,
    "tiresias": TIRESIAS,
    "gandiva": GANDIVA,
}
