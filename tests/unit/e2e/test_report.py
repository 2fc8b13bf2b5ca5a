"""The demo's verdict: each thing that does not hold is named."""

from demo.report import PARTS, compare, told
from scenario.losses import Step

TIMINGS = dict.fromkeys(PARTS, 12.0)


def steps(first: int, last: int) -> list[Step]:
    return [Step(number, f"{number:016x}") for number in range(first, last + 1)]


def test_a_flawless_move_has_no_fault() -> None:
    report = compare(["node-1", "node-2"], [steps(0, 4), steps(5, 9)], steps(0, 9), TIMINGS)
    assert report.faults == []
    assert (report.cut_at_step, report.went_on_at_step) == (4, 5)
    assert report.bit_identical
    assert "bit-identical     yes" in told(report)


def test_a_lost_step_is_a_fault() -> None:
    report = compare(["node-1", "node-2"], [steps(0, 4), steps(6, 9)], steps(0, 9), TIMINGS)
    assert not report.bit_identical
    assert any("cut at step 4 and went on with step 6" in fault for fault in report.faults)


def test_a_wrong_bit_is_a_fault() -> None:
    wrong = [*steps(5, 8), Step(9, "f" * 16)]
    report = compare(["node-1", "node-2"], [steps(0, 4), wrong], steps(0, 9), TIMINGS)
    assert not report.bit_identical
    assert "bit-identical     NO" in told(report)


def test_a_job_that_never_moved_is_a_fault() -> None:
    report = compare(["node-1"], [steps(0, 9)], steps(0, 9), {})
    assert any("not on two nodes" in fault for fault in report.faults)


def test_an_empty_reference_proves_nothing() -> None:
    report = compare(["node-1", "node-2"], [steps(0, 4), []], [], TIMINGS)
    assert not report.bit_identical
    assert report.faults


def test_a_part_nobody_measured_is_a_fault() -> None:
    timings = {part: 1.0 for part in PARTS if part != "fetch"}
    report = compare(["node-1", "node-2"], [steps(0, 4), steps(5, 9)], steps(0, 9), timings)
    assert report.faults == ["the duration of fetch is not known"]
