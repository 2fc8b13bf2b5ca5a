"""A plan from nothing but the present."""

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
    with _without_collector():
        planner = Planner(fleet.levels, tiers, rules)
        for node in fleet.nodes.values():
            planner.put_node(node)
        for job in jobs:
            planner.put(job)
        return planner.plan(now)


@contextmanager
def _without_collector() -> Iterator[None]:
    """A plan makes no circles of references; looking for them in a large fleet takes as long as planning."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
