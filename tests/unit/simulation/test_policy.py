"""Whom the policies serve, on the first month of a public trace with jobs of all tiers."""

import pytest
from tests.unit.simulation.traces import MIXED, public, replayed

from ergosphere.simulation.cost import Cost
from ergosphere.simulation.result import Result

FLEET = (16, 8)
FIRST = 500


def results(*policies: str) -> list[Result]:
    path = public("microsoft-itp/cluster06.csv")
    return [replayed(path, FLEET, policy, MIXED, Cost(), FIRST) for policy in policies]


@pytest.mark.parametrize("trace", ["cluster02", "cluster03", "cluster06"])
def test_every_promise_is_kept(trace: str) -> None:
    result = replayed(public(f"microsoft-itp/{trace}.csv"), FLEET, mix=MIXED, cost=Cost(), first=FIRST)
    assert result.promises_kept == {"Premium": 1.0, "Standard": 1.0, "Basic": 1.0}


def test_jobs_are_done_sooner_than_with_tiresias_which_does_not_know_how_long_they_take_either() -> None:
    own, tiresias = results("ergosphere", "tiresias")
    assert own.avg_jct_s < tiresias.avg_jct_s


def test_not_knowing_how_long_jobs_take_costs_less_than_a_quarter() -> None:
    own, srtf = results("ergosphere", "srtf")
    assert own.avg_jct_s <= 1.25 * srtf.avg_jct_s
