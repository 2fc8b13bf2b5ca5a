"""A plan from nothing but the present."""

from collections.abc import Iterable, Mapping

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
    planner = Planner(fleet.levels, tiers, rules)
    for node in fleet.nodes.values():
        planner.put_node(node)
    for job in jobs:
        planner.put(job)
    return planner.plan(now)
