"""The whole cluster at a glance: nodes and their GPUs, jobs, and what each tier promises and gives."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ergosphere.api.service_tier import ServiceTier
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli.jobs import JobRow, job_row
from ergosphere.controller.bookkeeping import below_promise
from ergosphere.controller.node import gpus, ready
from ergosphere.controller.worker import worker_of


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node. `ours` are the GPUs of training jobs, `others` those of other pods."""

    name: str
    state: str
    gpus: int
    ours: int
    others: int
    jobs: list[str]

    @property
    def free(self) -> int:
        """How many GPUs a job could be given; none where the node takes no pods."""
        return max(0, self.gpus - self.ours - self.others) if self.state == "Ready" else 0


@dataclass(frozen=True, slots=True)
class TierRow:
    """One tier: what it promises, its jobs that want GPUs, and the smallest fraction that one of them had."""

    name: str
    promise: float | None
    jobs: int
    running: int
    lowest: float | None
    below: list[str]


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    nodes: list[NodeRow]
    jobs: list[JobRow]
    tiers: list[TierRow]


def overview(
    nodes: Iterable[Mapping[str, Any]],
    pods: Sequence[Mapping[str, Any]],
    jobs: Sequence[TrainingJob],
    tiers: Iterable[ServiceTier],
) -> Overview:
    """Put together what the API server says of each."""
    ours, others = _used(pods, {job.uid for job in jobs})
    on: dict[str, set[str]] = {}
    for job in jobs:
        for place in job.status.placement:
            on.setdefault(place.node, set()).add(f"{job.namespace}/{job.name}")
    rows = [_node(node, ours, others, on) for node in nodes]
    return Overview(
        sorted(rows, key=lambda row: row.name),
        sorted((job_row(job) for job in jobs), key=lambda row: (row.namespace, row.name)),
        [_tier(tier, jobs) for tier in sorted(tiers, key=lambda t: (-t.spec.order, t.name))],
    )


def _used(pods: Iterable[Mapping[str, Any]], jobs: set[str]) -> tuple[Counter[str], Counter[str]]:
    ours: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for pod in pods:
        node, phase = pod["spec"].get("nodeName"), pod.get("status", {}).get("phase")
        if node and phase not in ("Succeeded", "Failed"):
            used = sum(gpus((c.get("resources") or {}).get("limits")) for c in pod["spec"]["containers"])
            (ours if worker_of(pod) in jobs else others)[node] += used
    return ours, others


def _node(
    node: Mapping[str, Any], ours: Counter[str], others: Counter[str], on: Mapping[str, set[str]]
) -> NodeRow:
    name = node["metadata"]["name"]
    cordoned = bool(node["spec"].get("unschedulable"))
    state = "NotReady" if not ready(node) else "Cordoned" if cordoned else "Ready"
    total = gpus((node.get("status") or {}).get("allocatable"))
    return NodeRow(name, state, total, ours[name], others[name], sorted(on.get(name, ())))


def _tier(tier: ServiceTier, jobs: Iterable[TrainingJob]) -> TierRow:
    own = [job for job in jobs if job.spec.tier == tier.name and not job.finished]
    had = [float(job.status.gpu_fraction) for job in own if job.status.gpu_fraction]
    promise = float(tier.spec.fraction) if tier.spec.fraction is not None else None
    below = sorted(f"{job.namespace}/{job.name}" for job in own if below_promise(job, tier))
    running = sum(bool(job.status.placement) for job in own)
    return TierRow(tier.name, promise, len(own), running, min(had, default=None), below)
