"""Clusters in every state that they can be in, for property tests, and what must hold of every plan."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import (
    DEFAULT_TIERS,
    Fleet,
    Job,
    Migrate,
    Moving,
    Node,
    Plan,
    Preempt,
    State,
    Topology,
)
from ergosphere.scheduling.placing import place
from ergosphere.scheduling.space import Space

LEVELS = ("zone", "rack")
REQUIRED = (Topology("zone", required=True), Topology("rack", required=True))
NOW = 100_000.0


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Up to six nodes of two GPU types in two zones; some cordoned, lost, or partly used by others."""
    nodes = []
    for i in range(draw(st.integers(1, 6))):
        gpus = draw(st.sampled_from([0, 2, 4, 8]))
        nodes.append(
            Node(
                f"n{i}",
                gpus,
                gpu_type=draw(st.sampled_from(["A100", "H100"])),
                domains=(f"z{i % 2}", f"r{i % 3}"),
                foreign=draw(st.sampled_from([0, 0, 0, min(1, gpus)])),
                ready=draw(st.integers(0, 9)) > 0,
                cordoned=draw(st.integers(0, 9)) == 0,
            )
        )
    return Fleet({node.name: node for node in nodes}, LEVELS)


@st.composite
def jobs(draw: st.DrawFn, name: str) -> Job:
    """A job that waits since it was submitted."""
    workers = draw(st.integers(1, 4))
    elastic = draw(st.booleans())
    submitted = NOW - draw(st.sampled_from([0.0, 30.0, 2000.0, 50_000.0]))
    tier = draw(st.sampled_from(sorted(DEFAULT_TIERS)))
    promised = tier != "Basic" and draw(st.booleans())
    return Job(
        name,
        workers,
        draw(st.sampled_from([0, 1, 1, 2, 4, 8])),
        tier=tier,
        priority=draw(st.integers(0, 1)),
        submitted=submitted,
        started=submitted,
        min_workers=max(1, workers // 2) if elastic else None,
        max_workers=workers * 2 if elastic else None,
        gpu_types=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"H100"})])),
        topology=draw(st.sampled_from([None, None, Topology("rack"), *REQUIRED])),
        moving=Moving(bytes=draw(st.sampled_from([0, 1 << 34]))),
        ledger=Ledger(((submitted, 0, workers),)),
        admitted=submitted if promised else None,
    )


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Fleet, list[Job]]:
    """A fleet, and jobs some of which run on it since a while; nothing is given twice."""
    fleet = draw(fleets())
    space = Space({n.name: replace(n, ready=True, cordoned=False) for n in fleet.nodes.values()}, LEVELS)
    found = []
    for i in range(draw(st.integers(0, 8))):
        job = draw(jobs(f"j{i}"))
        workers = draw(st.sampled_from([0, 0, job.workers, job.workers, job.smallest]))
        placement = place(space, job, workers) if workers else None
        if placement:
            space.take(placement, job.gpus_per_worker)
            job = running(job, placement, draw(st.floats(job.submitted, NOW)))
        found.append(job)
    return fleet, found


def running(job: Job, placement: Sequence[str], since: float) -> Job:
    """The job, placed and running since then."""
    ledger = job.ledger.record(since, len(placement), job.workers)
    state = State.RUNNING
    return replace(job, state=state, placement=tuple(placement), leaving=(), started=since, ledger=ledger)


def applied(jobs: Iterable[Job], plan: Plan, now: float = NOW) -> list[Job]:
    """The jobs once the plan is carried out, which takes no time here."""
    actions = {action.job: action for action in plan.actions}
    after = []
    for job in jobs:
        admitted = now if job.name in plan.admitted else job.admitted
        job = replace(job, admitted=admitted)
        action = actions.get(job.name)
        if isinstance(action, Preempt):
            ledger = job.ledger.record(now, 0, job.workers)
            job = replace(job, state=State.WAITING, placement=(), started=now, ledger=ledger)
        elif action is not None:
            job = running(job, action.placement, now)
        after.append(job)
    return after


def used(jobs: Iterable[Job]) -> Counter[str]:
    """GPUs in use on each node."""
    counted: Counter[str] = Counter()
    for job in jobs:
        for node in job.placement:
            counted[node] += job.gpus_per_worker
    return counted


def alike(one: Job, other: Job) -> bool:
    """Whether two jobs hold the same."""
    return Counter(one.placement) == Counter(other.placement)


def moved(plan: Plan) -> list[str]:
    """The jobs that a plan migrates."""
    return [action.job for action in plan.actions if isinstance(action, Migrate)]
