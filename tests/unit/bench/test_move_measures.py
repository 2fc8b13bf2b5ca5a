"""The numbers of `make bench-move`."""

import pytest
from bench.move.measures import Measured, line, ours, summary

MOVES = [
    {"freeze": 10.0, "start": 900.0, "restore": 50.0},
    {"freeze": 20.0, "start": 700.0, "restore": 40.0},
    {"freeze": 90.0, "start": 800.0, "restore": 60.0},
]


def test_starting_the_pod_is_not_our_part() -> None:
    assert ours(MOVES[0]) == 60.0


def test_parts_are_summed_up_one_by_one() -> None:
    found = summary(MOVES)
    assert found["freeze"] == {"min": 10.0, "median": 20.0, "max": 90.0}
    assert found["ours"] == {"min": 60.0, "median": 60.0, "max": 150.0}


@pytest.mark.parametrize("moves", [[], [*MOVES, {"freeze": 1.0}]], ids=["none", "a part missing"])
def test_incomplete_measurements_are_an_error(moves: list[dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="move"):
        summary(moves)


def test_the_freeze_of_larger_jobs_is_compared_with_the_first() -> None:
    slower = [{**move, "freeze": move["freeze"] * 1.5} for move in MOVES]
    one, many = Measured(summary(MOVES), [20.0], [20.0]), Measured(summary(slower), [30.0], [28.0])
    assert line({1: one, 16: many}, moves=3, state_mib=64)["freeze_vs_first"] == {"1": 1.0, "16": 1.5}


def test_a_gang_s_freeze_is_compared_with_that_of_as_many_jobs_of_one_worker() -> None:
    gang = Measured(summary(MOVES), together=[30.0, 90.0, 33.0], apart=[20.0, 22.0, 60.0])
    assert line({4: gang}, moves=3, state_mib=64)["freeze_vs_apart"] == {"4": 1.5}
