"""Reading what a program printed: the comparison that every claim about a move rests on."""

import pytest

from scenario.losses import Step, first_difference, joined, parse, replayed


def steps(*numbers: int) -> list[Step]:
    return [Step(number, f"{number:016x}") for number in numbers]


def test_only_whole_step_lines_count() -> None:
    text = "hello\nstep=1 loss=0.5 bits=3fe0000000000000\nstep=2 loss=0.25 bits=3fd0\nstep=3 lo"
    assert parse(text) == [Step(1, "3fe0000000000000")]


def test_pieces_that_follow_each_other_are_joined() -> None:
    assert joined([steps(0, 1), steps(2, 3), steps()]) == steps(0, 1, 2, 3)


@pytest.mark.parametrize("second", [steps(3, 4), steps(1, 2)], ids=["a step lost", "a step done twice"])
def test_a_gap_or_a_repetition_at_the_cut_is_an_error(second: list[Step]) -> None:
    with pytest.raises(ValueError, match="cut after step 1, but went on with step"):
        joined([steps(0, 1), second])


def test_equal_runs_have_no_difference() -> None:
    assert first_difference(steps(0, 1), steps(0, 1)) == ""


def test_one_bit_is_a_difference() -> None:
    other = [*steps(0), Step(1, f"{3:016x}")]
    assert "step 1" in first_difference(steps(0, 1), other)


def test_a_shorter_run_is_a_difference() -> None:
    assert first_difference(steps(0, 1), steps(0)) == "2 steps against 1"


def test_a_run_that_went_back_is_the_run_that_did_not() -> None:
    assert replayed([steps(0, 1, 2), steps(), steps(1, 2, 3), steps(3, 4)]) == steps(0, 1, 2, 3, 4)


def test_a_step_repeated_with_another_result_is_an_error() -> None:
    with pytest.raises(ValueError, match="another result: step 1"):
        replayed([steps(0, 1, 2), [Step(1, f"{7:016x}")]])


def test_going_back_does_not_excuse_a_gap() -> None:
    with pytest.raises(ValueError, match="2 steps were done, but it went on with step 3"):
        replayed([steps(0, 1), steps(3)])
