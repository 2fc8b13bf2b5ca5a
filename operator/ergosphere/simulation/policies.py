"""The policies by name."""

from collections.abc import Mapping

from ergosphere.scheduling.baselines.queue import BASELINES, Queue
from ergosphere.scheduling.model import Tier
from ergosphere.scheduling.planner import Planner
from ergosphere.scheduling.policy import Policy

OWN = "ergosphere"
NAMES = (*BASELINES, OWN)
TOLD = frozenset({"srtf", "srsf"})
"""The policies that are told how long each job will run."""


def policy_of(name: str, tiers: Mapping[str, Tier]) -> Policy:
    """A new policy of that name. Raises `ValueError` naming those there are."""
    if name == OWN:
        return Planner(tiers=tiers)
    if name not in BASELINES:
        raise ValueError(f"{name!r} is no policy; there are {', '.join(NAMES)}")
    return Queue(BASELINES[name])
