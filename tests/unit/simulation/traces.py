"""The public traces, where they lie, and small ones of one's own."""

from pathlib import Path

import pytest

from ergosphere.scheduling.model import DEFAULT_TIERS, Job
from ergosphere.simulation import trace
from ergosphere.simulation.cost import FREE, Cost
from ergosphere.simulation.engine import Simulation
from ergosphere.simulation.failure import Failures
from ergosphere.simulation.policies import TOLD, policy_of
from ergosphere.simulation.result import Result, result_of
from ergosphere.simulation.workload import fleet_of, jobs_of

TRACES = Path(__file__).resolve().parents[4] / "shared" / "traces"
MIXED = {"Premium": 0.2, "Standard": 0.5, "Basic": 0.3}
STANDARD = {"Standard": 1.0}


def public(name: str) -> Path:
    """A trace file; the test that wants it is skipped where it is not there."""
    path = TRACES / name
    if not path.is_file():
        pytest.skip(f"needs the public trace {name} in {TRACES}")
    return path


def simulated(
    jobs: list[tuple[Job, float]],
    shape: tuple[int, int],
    policy: str = "ergosphere",
    cost: Cost = FREE,
    failures: Failures | None = None,
    seed: int = 0,
) -> Simulation:
    """A simulation that has come to its end."""
    made = policy_of(policy, DEFAULT_TIERS)
    simulation = Simulation(fleet_of(*shape), jobs, made, cost, failures, seed, policy in TOLD)
    simulation.simulate()
    return simulation


def replayed(
    path: Path,
    shape: tuple[int, int],
    policy: str = "ergosphere",
    mix: dict[str, float] = STANDARD,
    cost: Cost = FREE,
    first: int | None = None,
    failures: Failures | None = None,
) -> Result:
    """What a policy makes of the first jobs of a trace."""
    jobs = jobs_of(trace.read(path)[:first], shape, mix, cost, 0.0, 0)
    return result_of(policy, simulated(jobs, shape, policy, cost, failures), DEFAULT_TIERS)
