"""What a simulation has shown."""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ergosphere.scheduling.model import Tier
from ergosphere.simulation.engine import Simulation
from ergosphere.simulation.run import HOUR_S, Run


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one policy on one trace. Job completion times (JCT) run from submission to the end.

    `promises_kept` is, by tier, the share of job-hours in which a job received the promised fraction. The
    hours count from the job's admission where the policy admits jobs, and from its submission where it does
    not; `promises_kept_since_submission` counts all from submission, `admitted` is the share of hours after
    admission. `utilization` is the GPU time used by running programs over all GPU time until the end.
    """

    policy: str
    jobs: int
    avg_jct_s: float
    median_jct_s: float
    p99_jct_s: float
    makespan_s: float
    utilization: float
    preemptions: int
    migrations: int
    resizes: int
    gpu_hours_moving: float
    gpu_hours_failed: float
    promises_kept: dict[str, float]
    promises_kept_since_submission: dict[str, float]
    admitted: dict[str, float]
    avg_jct_s_by_tier: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """The figures for `--json`, rounded to what they can tell."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: round(share, 4) for key, share in value.items()}
    return value


def jcts(simulation: Simulation) -> list[float]:
    """All job completion times in seconds, ascending."""
    finished = simulation.finished
    return sorted(finished[name] - run.job.submitted for name, run in simulation.runs.items())


def _share(pairs: Iterable[tuple[float, float]]) -> float:
    kept, hours = map(sum, zip(*pairs, strict=True))
    return kept / hours if hours else 1.0


def result_of(policy: str, simulation: Simulation, tiers: Mapping[str, Tier]) -> Result:
    """The figures of a finished simulation."""
    runs = list(simulation.runs.values())
    times = jcts(simulation)
    begin = min(run.job.submitted for run in runs)
    makespan = max(simulation.finished.values()) - begin
    gpus = sum(node.gpus - node.foreign for node in simulation.nodes.values())
    by_tier = {name: [run for run in runs if run.job.tier == name] for name in tiers}
    by_tier = {name: members for name, members in by_tier.items() if members}
    admits = any(run.job.admitted is not None for run in runs)

    def kept(run: Run) -> tuple[float, float]:
        return run.kept(simulation.finished[run.job.name], tiers[run.job.tier].promise)

    def kept_admitted(run: Run) -> tuple[float, float]:
        return run.kept_admitted(simulation.finished[run.job.name], tiers[run.job.tier].promise)

    return Result(
        policy=policy,
        jobs=len(runs),
        avg_jct_s=statistics.fmean(times),
        median_jct_s=statistics.median(times),
        p99_jct_s=times[math.ceil(0.99 * len(times)) - 1],
        makespan_s=makespan,
        utilization=sum(run.busy_gpu_s for run in runs) / (gpus * makespan),
        preemptions=sum(run.preemptions for run in runs),
        migrations=sum(run.migrations for run in runs),
        resizes=sum(run.resizes for run in runs),
        gpu_hours_moving=sum(run.moving_gpu_s for run in runs) / HOUR_S,
        gpu_hours_failed=sum(run.failed_gpu_s for run in runs) / HOUR_S,
        promises_kept={
            name: _share(map(kept_admitted if admits else kept, members)) for name, members in by_tier.items()
        },
        promises_kept_since_submission={name: _share(map(kept, m)) for name, m in by_tier.items()},
        admitted={
            name: sum(kept_admitted(run)[1] for run in members) / sum(kept(run)[1] for run in members)
            for name, members in by_tier.items()
        },
        avg_jct_s_by_tier={
            name: statistics.fmean(simulation.finished[run.job.name] - run.job.submitted for run in members)
            for name, members in by_tier.items()
        },
    )
