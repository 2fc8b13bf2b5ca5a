"""What the simulator does with time: runs, cuts, restores, failures."""

from dataclasses import replace

import pytest
from tests.unit.simulation.traces import MIXED, simulated

from ergosphere.scheduling.model import DEFAULT_TIERS, Job
from ergosphere.simulation.cost import FREE, Cost
from ergosphere.simulation.engine import Simulation
from ergosphere.simulation.failure import Failures
from ergosphere.simulation.result import jcts, result_of
from ergosphere.simulation.trace import TraceJob
from ergosphere.simulation.workload import jobs_of

COST = Cost(overhead_s=20.0, gib_per_gpu=0.0)


def job(
    name: str, run_s: float, gpus: int = 1, submitted: float = 0.0, **fields: object
) -> tuple[Job, float]:
    made = Job(name, 1, gpus, submitted=submitted, moving=COST.moving(1, gpus))
    return replace(made, **fields), run_s  # type: ignore[arg-type]


def finished(simulation: Simulation) -> dict[str, float]:
    return {name: round(time, 3) for name, time in simulation.finished.items()}


def test_a_job_alone_takes_as_long_as_it_runs() -> None:
    assert finished(simulated([job("a", 100.0, submitted=7.0)], (1, 8))) == {"a": 107.0}


def test_jobs_that_do_not_fit_together_run_one_after_the_other() -> None:
    done = finished(simulated([job("a", 100.0, 8), job("b", 50.0, 8, 1.0)], (1, 8), "fifo"))
    assert done == {"a": 100.0, "b": 150.0}


def test_without_backfill_a_small_job_waits_behind_a_large_one() -> None:
    jobs = [job("a", 100.0, 4), job("b", 100.0, 8, 1.0), job("c", 10.0, 4, 2.0)]
    assert finished(simulated(jobs, (1, 8), "fifo"))["c"] == 210.0
    assert finished(simulated(jobs, (1, 8), "fifo-backfill"))["c"] == 12.0


def test_a_preempted_job_is_cut_and_restored_and_its_run_time_is_not_lost() -> None:
    simulation = simulated([job("a", 100.0, 8), job("b", 30.0, 8, 10.0)], (1, 8), "srtf", COST)
    # Ten seconds for each way: b starts at 20 and is done at 50; a is back at 60 with 90 seconds to go.
    assert finished(simulation) == {"b": 50.0, "a": 150.0}
    assert result_of("srtf", simulation, DEFAULT_TIERS).preemptions == 1


def test_a_failed_node_costs_what_ran_since_the_last_checkpoint() -> None:
    cost = replace(COST, overhead_s=0.0, interval_s=1000.0)
    failures = Failures(mtbf_s=40_000.0, repair_s=100.0)
    lone = job("a", 100_000.0, 8, moving=FREE.moving(1, 8))
    simulation = simulated([lone], (1, 8), cost=cost, failures=failures)
    result = result_of("ergosphere", simulation, DEFAULT_TIERS)
    assert result.gpu_hours_failed > 0
    lost_s = result.gpu_hours_failed / 8 * 3600
    down_s = result.makespan_s - 100_000 - lost_s
    assert down_s == pytest.approx(100.0 * round(down_s / 100.0), abs=0.1)


def test_a_node_under_maintenance_is_left_before_it_goes_down() -> None:
    failures = Failures(maintenance_s=50_000.0, notice_s=600.0, window_s=1000.0)
    simulation = simulated([job("a", 60_000.0)], (2, 8), cost=COST, failures=failures)
    result = result_of("ergosphere", simulation, DEFAULT_TIERS)
    assert result.migrations >= 1
    assert result.gpu_hours_failed == 0.0


def test_an_elastic_job_grows_onto_idle_gpus_and_is_done_sooner() -> None:
    fixed, run_s = job("a", 10_000.0, 1, workers=4)
    stretchy = replace(fixed, min_workers=2, max_workers=8)
    rigid = simulated([(fixed, run_s)], (1, 8))
    elastic = simulated([(stretchy, run_s)], (1, 8))
    assert elastic.finished["a"] < rigid.finished["a"]


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    trace = [TraceJob(f"j{i}", 500.0 * i, 4000.0 + 100 * i, 1 + i % 8) for i in range(60)]
    failures = Failures(mtbf_s=100_000.0, repair_s=600.0)

    def run(seed: int) -> list[float]:
        jobs = jobs_of(trace, (2, 8), MIXED, COST, 0.2, seed)
        return jcts(simulated(jobs, (2, 8), cost=COST, failures=failures, seed=seed))

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_tier_whose_promise_is_kept_says_so_and_one_that_is_kept_waiting_does_not() -> None:
    long = [job("a", 4 * 3600.0, 8), job("b", 3600.0, 8, 1.0)]
    result = result_of("fifo", simulated(long, (1, 8), "fifo", FREE), DEFAULT_TIERS)
    # a runs from the start, and b's only hour of five is the last.
    assert result.promises_kept["Standard"] == pytest.approx(5 / 9, abs=0.01)


def test_a_policy_that_lets_a_job_wait_for_ever_is_found_out() -> None:
    with pytest.raises(RuntimeError, match="never runs a"):
        simulated([job("a", 10.0, 9)], (1, 8))
