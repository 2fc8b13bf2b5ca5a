"""Durations of repeated moves, summed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

# Starting a pod is the work of the scheduler, the kubelet and containerd; all other parts are ours.
NOT_OURS = "start"


def ours(timings: Mapping[str, float]) -> float:
    """All of a move that is Ergosphere's own work, in milliseconds."""
    return sum(duration for part, duration in timings.items() if part != NOT_OURS)


def summary(moves: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """For each part, and for `ours`: the least, the median and the greatest duration in milliseconds.

    Raises:
        ValueError: there is no move, or a move lacks a part that another one has.
    """
    parts = {tuple(sorted(move)) for move in moves}
    if len(parts) != 1:
        raise ValueError(
            f"the moves have different parts: {sorted(parts)}" if parts else "no move was measured"
        )
    columns = {part: [move[part] for move in moves] for part in moves[0]}
    columns["ours"] = [ours(move) for move in moves]
    return {
        part: {"min": min(values), "median": median(values), "max": max(values)}
        for part, values in columns.items()
    }


Summary = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Measured:
    """Moves summed up; freezes in milliseconds, of the gang and of as many jobs of one worker cut at once."""

    moves: Summary
    together: Sequence[float]
    apart: Sequence[float]

    @property
    def freeze_vs_apart(self) -> float:
        """What being a gang costs: the median freeze over that of the same workers apart."""
        return round(median(self.together) / median(self.apart), 2)


def table(found: Mapping[int, Measured]) -> str:
    """The moves by number of workers for people, in milliseconds, and how freezes compare."""
    return "\n\n".join(
        f"{workers} worker{'s' * (workers > 1)}\n{_rows(measured.moves)}\n"
        f"cut in place, the gang froze in {median(measured.together):.0f} ms, as many jobs of one worker in "
        f"{median(measured.apart):.0f} ms: {measured.freeze_vs_apart} times as long"
        for workers, measured in found.items()
    )


def _rows(found: Summary) -> str:
    lines = [f"{'part':<14}{'min':>10}{'median':>10}{'max':>10}   ms"]
    lines += [
        f"{part:<14}" + "".join(f"{row[column]:>10.0f}" for column in ("min", "median", "max"))
        for part, row in found.items()
    ]
    return "\n".join(lines)


def line(found: Mapping[int, Measured], moves: int, state_mib: int) -> dict[str, Any]:
    """All of it for machines. `freeze_vs_first`: the median freeze of a move over that of the first size."""
    freezes = {workers: measured.moves["freeze"]["median"] for workers, measured in found.items()}
    first = next(iter(freezes.values()))
    return {
        "bench": "move",
        "moves": moves,
        "state_mib": state_mib,
        "parts_ms": {str(workers): measured.moves for workers, measured in found.items()},
        "freeze_vs_first": {str(workers): round(freeze / first, 2) for workers, freeze in freezes.items()},
        "freeze_vs_apart": {str(workers): measured.freeze_vs_apart for workers, measured in found.items()},
    }
