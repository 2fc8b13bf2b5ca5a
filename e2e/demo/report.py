"""What the demo found, what of it must hold, and how it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scenario.losses import Step, first_difference, joined

# In the order of a move.
PARTS = (
    *("prepare", "lock", "freeze", "dump", "files", "store", "commit"),
    *("place", "start", "fetch", "restore_files", "restore"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """One moved run against one that never moved. Durations are milliseconds."""

    nodes: list[str]
    steps: int
    cut_at_step: int
    went_on_at_step: int
    parts_ms: dict[str, float]
    bit_identical: bool
    difference: str
    faults: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)


def compare(
    nodes: Sequence[str],
    pieces: Sequence[Sequence[Step]],
    reference: Sequence[Step],
    timings: Mapping[str, float],
) -> Report:
    """Judge a run.

    `nodes` are those the job ran on, `pieces` the steps that each of its pods printed, `reference` the steps
    of an uninterrupted run, `timings` what the operator measured of the last move, in milliseconds.
    """
    before, after = (pieces[0], pieces[-1]) if len(pieces) > 1 else ((), ())
    cut, resumed = before[-1].number if before else -1, after[0].number if after else -1
    difference = _difference(pieces, reference)
    order = [*PARTS, *(part for part in timings if part not in PARTS)]
    parts = {part: timings[part] for part in order if part in timings}
    checks = {
        f"the job ran on {', '.join(nodes) or 'no node'}, not on two nodes": len(set(nodes)) == 2,
        f"it ran in {len(pieces)} pods, not in two": len(pieces) == 2,
        f"it was cut at step {cut} and went on with step {resumed}": 0 <= cut == resumed - 1,
        f"its losses differ from the uninterrupted run's: {difference}": not difference,
        "the uninterrupted run printed no step": bool(reference),
    }
    checks |= {f"the duration of {part} is not known": part in parts for part in PARTS}
    return Report(
        nodes=list(nodes),
        steps=len(reference),
        cut_at_step=cut,
        went_on_at_step=resumed,
        parts_ms=parts,
        bit_identical=bool(reference) and not difference,
        difference=difference,
        faults=[fault for fault, holds in checks.items() if not holds],
    )


def told(report: Report) -> str:
    """The report for people."""
    lines = [
        "",
        f"  ran on            {' -> '.join(report.nodes)}",
        f"  cut at step       {report.cut_at_step} of {report.steps}",
        f"  went on with step {report.went_on_at_step}",
        "  stood still       "
        + ", ".join(f"{part} {duration:.0f} ms" for part, duration in report.parts_ms.items())
        + f"; {sum(report.parts_ms.values()):.0f} ms in all",
        f"  bit-identical     {'yes' if report.bit_identical else 'NO'}"
        + (f" ({report.difference})" if report.difference else ""),
        *(f"  FAILED: {fault}" for fault in report.faults),
        "",
    ]
    return "\n".join(lines)


def _difference(pieces: Sequence[Sequence[Step]], reference: Sequence[Step]) -> str:
    try:
        return first_difference(joined(pieces), reference)
    except ValueError as error:
        return str(error)
