"""From a trace to the jobs of a simulation."""

import random
from collections.abc import Mapping, Sequence

from ergosphere.scheduling.model import Fleet, Job, Node, Tier
from ergosphere.simulation.cost import Cost
from ergosphere.simulation.quantity import assignments, number
from ergosphere.simulation.trace import TraceError, TraceJob


def fleet_of(nodes: int, gpus: int) -> Fleet:
    """Equal nodes whose names sort by number."""
    width = len(str(nodes - 1))
    names = [f"n{i:0{width}}" for i in range(nodes)]
    return Fleet({name: Node(name, gpus) for name in names})


def parse_mix(text: str, tiers: Mapping[str, Tier]) -> dict[str, float]:
    """`Premium=0.2,Standard=0.8`: the share of the jobs in each tier. Raises `ValueError`."""
    mix = {name: number(share, 0, 1) for name, share in assignments(text, tuple(tiers)).items()}
    if abs(sum(mix.values()) - 1) > 1e-6:
        raise ValueError(f"the shares of the tiers must sum to 1, not to {sum(mix.values()):g}")
    return mix


def gang(gpus: int, per_node: int) -> tuple[int, int]:
    """Workers and GPUs for each: one worker within a node, else full nodes, else single GPUs."""
    if gpus <= per_node:
        return 1, gpus
    return (gpus // per_node, per_node) if gpus % per_node == 0 else (gpus, 1)


def jobs_of(
    trace: Sequence[TraceJob],
    shape: tuple[int, int],
    mix: Mapping[str, float],
    cost: Cost,
    elastic: float,
    seed: int,
) -> list[tuple[Job, float]]:
    """The jobs and their run times, with tiers drawn by share.

    `elastic` is the share of jobs that run with half to twice the workers. Raises `TraceError` for a job that
    is larger than the fleet.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    names, shares = sorted(mix), [mix[name] for name in sorted(mix)]
    made = []
    for entry in trace:
        tier = chance.choices(names, shares)[0]
        stretches = chance.random() < elastic
        workers, gpus = gang(entry.gpus, shape[1])
        if entry.gpus > shape[0] * shape[1] or workers * gpus > shape[0] * (shape[1] // gpus) * gpus:
            raise TraceError(
                f"{entry.origin}: the job asks for {entry.gpus} GPUs; a fleet of {shape[0]}x{shape[1]} "
                f"has {shape[0] * shape[1]}"
            )
        job = Job(
            entry.name,
            workers,
            gpus,
            tier=tier,
            submitted=entry.submitted,
            min_workers=(workers + 1) // 2 if stretches else None,
            max_workers=workers * 2 if stretches else None,
            moving=cost.moving(workers, gpus),
        )
        made.append((job, entry.service_s))
    return made
