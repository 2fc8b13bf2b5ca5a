"""The numbers of `make bench-overhead`."""

import pytest
from bench.overhead.measures import WARM_UP, ratios, seconds_a_step


def log(steps: int, seconds: float) -> str:
    stamps = [
        f"2026-01-01T00:{number * seconds / 60:02.0f}:{number * seconds % 60:09.6f}Z"
        for number in range(steps)
    ]
    return "".join(f"{stamp} step={n} loss=0.5 bits={n:016x}\n" for n, stamp in enumerate(stamps))


def test_a_step_lasts_as_long_as_its_log_says() -> None:
    text = "2026-01-01T00:00:00Z loading\n" + log(60, 0.5)
    assert seconds_a_step(text) == pytest.approx(0.5)


def test_a_run_that_is_all_warm_up_measures_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        seconds_a_step(log(WARM_UP + 1, 0.1))


def test_overhead_is_told_beside_the_noise() -> None:
    found = ratios([1.0, 1.1, 1.0], [1.02, 1.1, 1.0])
    assert found["job_vs_plain"] == 1.0
    assert found["noise"] == 0.1
