"""Agents choose words that become labels, and each value of a label costs memory for ever."""

from prometheus_client import REGISTRY
from tests.unit.controller.builders import Scene

from ergosphere.api.agent import Failure
from ergosphere.controller import apply, metrics
from ergosphere.controller.barrier import Committed, Failed

CHECKPOINT = Scene().checkpoint("c", "Ready").checkpoints[0]


def labels(metric: str, label: str) -> set[str]:
    samples = [s for family in REGISTRY.collect() for s in family.samples if s.name == metric]
    return {sample.labels[label] for sample in samples}


def test_however_many_reasons_agents_give_so_many_are_counted_apart() -> None:
    known = metrics.Words(2)
    assert [known.label(word) for word in ("A", "B", "C", "A", "B")] == ["A", "B", "other", "A", "B"]
    for number in range(500):
        apply._count(CHECKPOINT, Failed(Failure(reason=f"Reason{number}", message="")))
    assert len(labels("ergosphere_cuts_total", "result")) <= 102


def test_parts_of_a_cut_that_nobody_knows_are_counted_as_one() -> None:
    parts = {"dump": 1.0, "stall": 2.0} | {f"part{number}": 1.0 for number in range(500)}
    apply._count(CHECKPOINT, Committed("", 0, 0, parts))
    found = labels("ergosphere_cut_part_seconds_count", "part")
    assert {"dump", "stall", "other"} <= found
    assert not {name for name in found if name.startswith("part")}
