"""One trace under several policies, and the table of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from ergosphere.scheduling.model import DEFAULT_TIERS
from ergosphere.simulation import trace
from ergosphere.simulation.cost import Cost
from ergosphere.simulation.engine import Simulation
from ergosphere.simulation.policies import OWN, TOLD, policy_of
from ergosphere.simulation.result import Result, result_of
from ergosphere.simulation.workload import fleet_of, jobs_of

SHAPE = (16, 8)
MIX = {"Premium": 0.2, "Standard": 0.5, "Basic": 0.3}
POLICIES = (OWN, "srtf", "tiresias")
HEADS = ("trace", "load", "avg JCT", "of SRTF's", "of Tiresias'", "promises kept", "promised", "moving")
BEGIN, END = "<!-- bench-policy -->", "<!-- /bench-policy -->"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A trace, the GPU time asked for over that of the fleet while jobs arrive, and the results by policy."""

    trace: str
    load: float
    results: dict[str, Result]

    def over(self, policy: str) -> float:
        """The average JCT as a multiple of another policy's."""
        return self.results[OWN].avg_jct_s / self.results[policy].avg_jct_s

    def as_json(self) -> dict[str, object]:
        """What there is, for programs."""
        results = {policy: result.as_json() for policy, result in self.results.items()}
        over = {f"avg_jct_over_{policy}": round(self.over(policy), 3) for policy in POLICIES[1:]}
        return {"trace": self.trace, "load": round(self.load, 3), **over, "results": results}


def compare(file: Path) -> Comparison:
    """Simulate the trace under each policy."""
    entries = trace.read(file)
    jobs = jobs_of(entries, SHAPE, MIX, Cost(), 0.0, 0)
    results = {}
    for name in POLICIES:
        policy = policy_of(name, DEFAULT_TIERS)
        simulation = Simulation(fleet_of(*SHAPE), jobs, policy, Cost(), told=name in TOLD)
        simulation.simulate()
        results[name] = result_of(name, simulation, DEFAULT_TIERS)
    asked = sum(entry.gpus * entry.service_s for entry in entries)
    span = entries[-1].submitted - entries[0].submitted
    return Comparison(file.stem, asked / (span * SHAPE[0] * SHAPE[1]), results)


def cells(comparison: Comparison) -> tuple[str, ...]:
    """A row, in the order of `HEADS`."""
    own = comparison.results[OWN]
    promising = [name for name in own.promises_kept if DEFAULT_TIERS[name].promise]
    return (
        comparison.trace,
        f"{comparison.load:.0%}",
        f"{own.avg_jct_s:,.0f} s",
        f"{comparison.over('srtf'):.2f}",
        f"{comparison.over('tiresias'):.2f}",
        ", ".join(f"{name} {own.promises_kept[name]:.2%}" for name in promising),
        ", ".join(f"{name} {own.admitted[name]:.0%}" for name in promising),
        f"{own.gpu_hours_moving:,.0f} GPU-h",
    )


def table(found: Sequence[Comparison]) -> Table:
    """For the terminal."""
    made = Table(*HEADS)
    for comparison in found:
        made.add_row(*cells(comparison))
    return made


def markdown(found: Sequence[Comparison]) -> str:
    """For the document."""
    rows = [HEADS, ("---",) * len(HEADS), *(cells(comparison) for comparison in found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def renewed(document: str, part: str) -> str:
    """The document with what stands between the marks replaced. Raises ValueError when there are none."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} … {END}")
    return f"{before}{begin}\n{part}\n{end}{after}"
