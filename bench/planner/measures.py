"""What is measured: a plan from nothing, one after an event, and all that the operator does for a plan."""

import random
import resource
import time
from collections.abc import Callable, Iterator
from cProfile import Profile
from dataclasses import replace
from pstats import Stats
from statistics import mean, median

from bench.planner.cluster import cache_of
from bench.planner.scenario import LEVELS, NOW, Scenario, job_of, scenario
from ergosphere.controller.planning import decide
from ergosphere.scheduling.model import DEFAULT_TIERS, Job, Plan, Preempt, State
from ergosphere.scheduling.order import by_tier
from ergosphere.scheduling.plan import Follower, plan
from ergosphere.scheduling.planner import Planner

EVENTS = 10
"""Of each kind."""

LARGEST = 100_000
"""GPUs of the largest fleet."""

Figures = dict[str, float]


def planner_of(given: Scenario) -> Planner:
    """A planner that was told all of the scenario."""
    planner = Planner(given.fleet.levels)
    for node in given.fleet.nodes.values():
        planner.put_node(node)
    for job in given.jobs:
        planner.put(job)
    return planner


def apply(planner: Planner, made: Plan, now: float) -> None:
    """Carry a plan out in no time: whoever was started runs."""
    for name in made.admitted:
        planner.put(replace(planner.book.jobs[name], admitted=now))
    for action in made.actions:
        job = planner.book.jobs[action.job]
        target = () if isinstance(action, Preempt) else action.placement
        state = State.RUNNING if target else State.WAITING
        ledger = job.ledger.record(now, len(target), job.workers)
        planner.put(replace(job, state=state, placement=target, started=now, ledger=ledger))


def settled(gpus: int, seed: int) -> Scenario:
    """The scenario some minutes on, when the planner has made it its own and most have rested again."""
    given = scenario(gpus, seed)
    planner = planner_of(given)
    for minutes in (0, 20, 40):
        apply(planner, planner.plan(NOW + 60.0 * minutes), NOW + 60.0 * minutes)
    return Scenario(given.fleet, list(planner.book.jobs.values()))


def measure(gpus: int) -> Figures:
    """All figures for a fleet of that size, times in seconds of the processor.

    For smaller fleets they are means over as many scenarios as have together the jobs of the largest one: how
    many of a few jobs wait is chance.
    """
    seeds = range(max(1, LARGEST // gpus))
    found = [_measure(gpus, seed) for seed in seeds]
    means = {name: round(mean(each[name] for each in found), 4) for name in found[0]}
    # What the planner needs, before there is a copy of the cluster's objects.
    memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    cycle = mean(_cycle(settled(gpus, seed), NOW + 3600.0) for seed in seeds)
    return means | {"peak_rss_mib": memory, "cycle_s": round(cycle, 4)}


def _measure(gpus: int, seed: int) -> Figures:
    given = settled(gpus, seed)
    now = NOW + 3600.0
    full = min(_timed(lambda: plan(given.fleet, given.jobs, now)) for _ in range(5))
    empty = Scenario(given.fleet, scenario(gpus, seed, running=False).jobs)
    cold = min(_timed(lambda: plan(empty.fleet, empty.jobs, now)) for _ in range(3))
    events = {kind: median(times) for kind, times in _events(planner_of(given), now).items()}
    return {
        "gpus": gpus,
        "nodes": len(given.fleet.nodes),
        "jobs": len(given.jobs),
        "running": sum(bool(job.placement) for job in given.jobs),
        "full_plan_s": full,
        "full_plan_calls": _calls(lambda: plan(given.fleet, given.jobs, now)),
        "cold_plan_s": cold,
        "sort_s": min(_timed(lambda: _sorted(given.jobs)) for _ in range(5)),
        "event_plan_s": max(events.values()),
        **{f"{kind}_s": value for kind, value in events.items()},
    }


def _sorted(jobs: list[Job]) -> list[Job]:
    """The jobs in their order: what is known to take n log n, of the same objects on the same processor."""
    return sorted(jobs, key=lambda job: by_tier(job, DEFAULT_TIERS))


def _cycle(given: Scenario, now: float) -> float:
    """What the operator needs each second to see what there is and to decide, when it has done so before."""
    cache, planner = cache_of(given), Follower()
    decide(cache, now, LEVELS, planner)
    return median(_timed(lambda: decide(cache, now, LEVELS, planner)) for _ in range(3))


def _calls(act: Callable[[], object]) -> int:
    """How many functions are called: the work, whatever the caches of the processor hold of its data."""
    profile = Profile()
    profile.runcall(act)
    return Stats(profile).total_calls  # type: ignore[attr-defined, no-any-return]


def _timed(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


def _events(planner: Planner, now: float) -> dict[str, list[float]]:
    """Let things happen one by one; each plan is carried out before the next event."""
    apply(planner, planner.plan(now), now)
    times: dict[str, list[float]] = {}
    for kind, happen in _happenings(planner, now):
        begin = time.process_time()
        happen()
        plan = planner.plan(now)
        times.setdefault(kind, []).append(time.process_time() - begin)
        apply(planner, plan, now)
    return times


def _happenings(planner: Planner, now: float) -> Iterator[tuple[str, Callable[[], None]]]:
    chance = random.Random(1)  # noqa: S311 - a scenario, not a secret
    for i in range(EVENTS):
        done = chance.choice(sorted(planner.book.placed))
        yield "job_done", lambda name=done: planner.drop(name)  # type: ignore[misc]
        new = job_of(f"new-{i}", chance, now)
        yield "job_submitted", lambda job=new: planner.put(job)  # type: ignore[misc]
        node = planner.nodes[chance.choice(sorted(planner.nodes))]
        yield "node_lost", lambda node=node: planner.put_node(replace(node, ready=False))  # type: ignore[misc]
