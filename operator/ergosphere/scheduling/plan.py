"""A plan from the present, and from one present after another."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from ergosphere.scheduling.model import DEFAULT_TIERS, Fleet, Job, Plan, Tier
from ergosphere.scheduling.planner import Planner
from ergosphere.scheduling.rules import Rules


def plan(
    fleet: Fleet,
    jobs: Iterable[Job],
    now: float,
    tiers: Mapping[str, Tier] = DEFAULT_TIERS,
    rules: Rules | None = None,
) -> Plan:
    """Decide what to do at `now`. Deterministic: the order of `jobs` does not matter.

    Raises `KeyError` for a job of an unknown tier.
    """
    return Follower(rules).plan(fleet, jobs, now, tiers)


class Follower:
    """Plans for one present after another, and tells its planner only what differs from the one before.

    It holds nothing that the present does not say: a new one gives the same plans.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules
        self._planner: Planner | None = None
        self._now = 0.0

    def plan(
        self, fleet: Fleet, jobs: Iterable[Job], now: float, tiers: Mapping[str, Tier] = DEFAULT_TIERS
    ) -> Plan:
        """See `plan`, the function. Jobs and nodes that are the same as before cost next to nothing."""
        # Taken out until the plan is made: one that was told half of a present must not be used again.
        planner, self._planner = self._planner, None
        # What is expected of a job is only ever raised as time passes, so a clock set back needs a new one.
        if planner is None or now < self._now or (planner.levels, planner.tiers) != (fleet.levels, tiers):
            planner = Planner(fleet.levels, tiers, self._rules)
        with _without_collector():
            _tell(planner, fleet, jobs)
            made = planner.plan(now)
        self._planner, self._now = planner, now
        return made


def _tell(planner: Planner, fleet: Fleet, jobs: Iterable[Job]) -> None:
    for name in planner.nodes.keys() - fleet.nodes.keys():
        planner.drop_node(name)
    for node in fleet.nodes.values():
        if _differs(planner.nodes.get(node.name), node):
            planner.put_node(node)
    present = {job.name: job for job in jobs}
    for name in planner.book.jobs.keys() - present.keys():
        planner.drop(name)
    for job in present.values():
        if _differs(planner.book.jobs.get(job.name), job):
            planner.put(job)


def _differs(before: object, now: object) -> bool:
    return before is not now and before != now


@contextmanager
def _without_collector() -> Iterator[None]:
    """Planning makes no circles of references; to look for them in a large fleet takes as long as to plan."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
