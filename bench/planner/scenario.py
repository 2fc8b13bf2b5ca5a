"""A large cluster in the middle of its day: three jobs in four run, and the others wait."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import Fleet, Job, Moving, Node, State, Topology
from ergosphere.scheduling.placing import place
from ergosphere.scheduling.space import Space

GPUS_PER_NODE = 8
NODES_PER_RACK = 25
RACKS_PER_ZONE = 50
LEVELS = ("zone", "rack")
NOW = 10 * 86400.0

SIZES = {1: 36, 2: 8, 4: 9, 8: 40, 16: 4, 32: 2, 64: 1.8}
"""GPUs a job, with weights between those of the Microsoft ITP traces: three jobs in four fill the fleet."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fleet and its jobs at `NOW`."""

    fleet: Fleet
    jobs: list[Job]


def scenario(gpus: int, seed: int = 0, running: bool = True) -> Scenario:
    """A fleet with that many GPUs, and a fifth as many jobs, three in four of them running if any is.

    The same seed gives the same scenario.
    """
    chance = random.Random(seed)  # noqa: S311 - a scenario, not a secret
    fleet = Fleet({node.name: node for node in _nodes(gpus // GPUS_PER_NODE, chance)}, LEVELS)
    jobs = [job_of(f"job-{i:05}", chance, NOW - chance.expovariate(1 / 40000)) for i in range(gpus // 5)]
    return Scenario(fleet, list(_placed(fleet, jobs, running * len(jobs) * 3 // 4, chance)))


def _nodes(count: int, chance: random.Random) -> Iterator[Node]:
    """Two types of GPU by rack; one node in 200 is cordoned, one in 500 is lost."""
    for i in range(count):
        rack = i // NODES_PER_RACK
        yield Node(
            f"node-{i:05}",
            GPUS_PER_NODE,
            gpu_type="A100" if rack % 3 else "H100",
            domains=(f"zone-{rack // RACKS_PER_ZONE}", f"rack-{rack:03}"),
            ready=chance.random() >= 1 / 500,
            cordoned=chance.random() < 1 / 200,
            foreign=GPUS_PER_NODE if chance.random() < 1 / 100 else 0,
        )


def job_of(name: str, chance: random.Random, submitted: float) -> Job:
    """Tiers 20/50/30, half of the gangs elastic, one in ten wishes for a rack, one in ten for a GPU type."""
    gpus = chance.choices(list(SIZES), list(SIZES.values()))[0]
    workers, each = (1, gpus) if gpus <= GPUS_PER_NODE else (gpus // GPUS_PER_NODE, GPUS_PER_NODE)
    elastic = workers > 1 and chance.random() < 0.5
    return Job(
        name,
        workers,
        each,
        tier=chance.choices(["Premium", "Standard", "Basic"], [2, 5, 3])[0],
        submitted=submitted,
        min_workers=workers // 2 if elastic else None,
        max_workers=workers * 2 if elastic else None,
        gpu_types=frozenset({"H100"}) if chance.random() < 0.1 else frozenset(),
        topology=Topology("rack") if chance.random() < 0.1 else None,
        moving=Moving(bytes=gpus * 8 << 30, bytes_per_s=2.5e9 * workers),
    )


def _placed(fleet: Fleet, jobs: list[Job], running: int, chance: random.Random) -> Iterator[Job]:
    """The first that fit run since some time between their submission and now; the rest wait."""
    space = Space(fleet.nodes, fleet.levels)
    for job in jobs:
        placement = place(space, job, job.workers) if running else None
        if placement is None:
            yield replace(job, ledger=Ledger(((job.submitted, 0, job.workers),)))
            continue
        running -= 1
        space.take(placement, job.gpus_per_worker)
        started = chance.uniform(job.submitted, NOW)
        ledger = Ledger(((job.submitted, 0, job.workers),)).record(started, job.workers, job.workers)
        yield replace(
            job,
            state=State.RUNNING,
            placement=placement,
            started=started,
            ledger=ledger,
            admitted=started if job.tier != "Basic" else None,
        )
