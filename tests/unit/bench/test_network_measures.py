"""The numbers of `make bench-network`."""

import pytest
from bench.network.measures import JOB, PLAIN, line, summary

ROUNDS = [{PLAIN: 10.0, JOB: 8.0}, {PLAIN: 20.0, JOB: 5.0}, {PLAIN: 16.0, JOB: 12.0}]


def test_the_ratio_is_that_of_the_medians() -> None:
    found = summary(ROUNDS)
    assert found[JOB] == {"min": 5.0, "median": 8.0, "max": 12.0}
    assert line(found, 3, 1.0)["ratio"] == 0.5
    assert line(found, 3, 1.0)["bits_per_s"] == {"pod_network": 16_000_000_000, "job_network": 8_000_000_000}


@pytest.mark.parametrize("rounds", [[], [*ROUNDS, {PLAIN: 1.0}]], ids=["none", "a network missing"])
def test_incomplete_measurements_are_an_error(rounds: list[dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="both networks"):
        summary(rounds)
