"""What the planner sees: nodes, jobs and tiers as its plain values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ergosphere.api.checkpoint import Platform
from ergosphere.api.service_tier import ServiceTier
from ergosphere.api.training_job_status import CutPurpose, TrainingJobStatus, WorkerPlacement
from ergosphere.scheduling.model import Fleet, Job, Node, Placement, Relocation, State, Tier, Topology
from ergosphere.workload.volumes import Binding

from . import starting
from .bookkeeping import ledger
from .feasible import Feasible
from .moving import moving
from .node import gpus
from .view import JobView
from .worker import worker_of

_FIRST_UNFIT_SECONDS = 15.0
_UNFIT_SECONDS = 300.0
_GPU_TYPE_LABEL = "nvidia.com/gpu.product"
# By which a node that is about to go is marked, before its pods are evicted, by those that do not cordon it.
_GOING = {"karpenter.sh/disrupted", "ToBeDeletedByClusterAutoscaler"}


@dataclass(frozen=True, slots=True)
class Share:
    """The namespace of a job, and the GPUs that each pod of it there is reckoned with."""

    namespace: str
    gpus: int


def fleet(
    nodes: Iterable[Mapping[str, Any]],
    pods: Iterable[Mapping[str, Any]],
    jobs: Mapping[str, Share],
    levels: tuple[str, ...],
    lost: frozenset[str] = frozenset(),
) -> Fleet:
    """The nodes; GPUs that no worker of `jobs`, by their uids, is to have are not ours to give.

    `lost` names those of the nodes that are lost.
    """
    foreign = _foreign(pods, jobs)
    return Fleet({n["metadata"]["name"]: _node(n, foreign, levels, lost) for n in nodes}, levels)


def tiers(objects: Iterable[ServiceTier]) -> Mapping[str, Tier]:
    """The tiers by name."""
    return {
        t.name: Tier(t.name, float(t.spec.fraction or 0), t.spec.order, float(t.spec.window_seconds))
        for t in objects
    }


def orphaned(views: Iterable[JobView], tiers: Mapping[str, Tier]) -> Mapping[str, Tier]:
    """Stand-ins for tiers that were deleted while jobs of theirs hold nodes: without a promise, below all."""
    gone = {v.job.spec.tier for v in views if v.job.status.placement} - tiers.keys()
    lowest = min((tier.rank for tier in tiers.values()), default=0) - 1
    return {name: Tier(name, 0.0, lowest) for name in sorted(gone)}


def job(
    view: JobView,
    feasible: Feasible,
    bound: tuple[Binding, ...],
    now: float,
    doubtful: frozenset[str] = frozenset(),
) -> Job:
    """One job as the planner sees it: what it asks for, what it holds and what it is about to leave.

    `feasible` knows the nodes, `bound` are its volumes that not every node has, `now` is in seconds since the
    epoch. Of `doubtful` nodes it is given none.
    """
    spec, status = view.job.spec, view.job.status
    placement, leaving = _held(view)
    created = view.job.metadata.creation_timestamp
    since = status.placed_time if placement else status.left_time
    topology = spec.placement.topology
    level = topology.required or topology.preferred
    needed = starting.required(view)
    return Job(
        name=view.job.uid,
        workers=spec.workers,
        gpus_per_worker=spec.gpus_per_worker(),
        tier=spec.tier,
        priority=spec.priority,
        submitted=created.timestamp() if created else 0.0,
        state=_state(view, placement),
        placement=placement,
        leaving=leaving,
        started=since.timestamp() if since else 0.0,
        min_workers=spec.elasticity.min_workers if spec.elasticity else None,
        max_workers=spec.elasticity.max_workers if spec.elasticity else None,
        gpu_types=frozenset(spec.placement.gpu_types),
        platforms=frozenset({platform(needed)} if needed else ()),
        allowed=_allowed(view, feasible, bound, now),
        excluded=_unfit(status, now) | doubtful,
        topology=Topology(level, required=topology.required is not None) if level else None,
        relocation=relocation(view),
        moving=moving(view.job),
        ledger=ledger(status),
        admitted=status.admitted_time.timestamp() if status.admitted_time else None,
    )


def backs_off(view: JobView, now: float) -> bool:
    """Whether the job holds nothing, and must not be tried again yet."""
    status = view.job.status
    return not status.placement and status.too_early(datetime.fromtimestamp(now, UTC))


def _allowed(
    view: JobView, feasible: Feasible, bound: tuple[Binding, ...], now: float
) -> frozenset[str] | None:
    """A job that backs off is kept off all nodes, where it would only reserve GPUs; its promise stays."""
    return frozenset() if backs_off(view, now) else feasible(view.job.spec.template.spec.as_given, bound)


def _unfit(status: TrainingJobStatus, now: float) -> frozenset[str]:
    """What made a node unfit may pass at once, as when a container could not be started: it is tried again.

    The more attempts in a row have failed, the later.
    """
    if status.placed_time is None:
        return frozenset()
    failed = max(1, status.incarnation - status.ran_incarnation)
    seconds = min(_FIRST_UNFIT_SECONDS * 2.0 ** min(failed - 1, 10), _UNFIT_SECONDS)
    return frozenset(status.unfit_nodes if now < status.placed_time.timestamp() + seconds else ())


def _held(view: JobView) -> tuple[Placement, tuple[str, ...]]:
    """The nodes that the job keeps or was assigned, and those that it still has to leave."""
    status = view.job.status
    nodes = tuple(p.node for p in status.placement)
    going = tuple(p.node for p in view.predecessors)
    if status.cut and status.cut.purpose is CutPurpose.LEAVE:
        return tuple(p.node for p in status.cut.target), nodes + going
    return nodes, going


def relocation(view: JobView) -> Relocation | None:
    """The owner's wish that the job move, if it is meant for the present incarnation."""
    wish = view.job.spec.migration
    meant = wish is not None and wish.incarnation == view.job.status.incarnation
    return Relocation(frozenset(wish.nodes)) if wish and meant else None


def _state(view: JobView, placement: Placement) -> State:
    if view.job.spec.suspend:
        return State.SUSPENDED
    if not placement:
        return State.WAITING
    return State.RUNNING if view.job.status.ran_incarnation == view.job.status.incarnation else State.STARTING


def platform(needed: Platform) -> str:
    """What a node must have in common with the one that a job was cut on. CPU features the agent compares."""
    return f"{needed.architecture}/{needed.kernel}"


def lost(view: JobView, space: Fleet) -> frozenset[str]:
    """The nodes of the job's workers, but for those that have finished, that are gone or not ready."""
    placed = {p.node for p in _unfinished(view.job.status)}
    return frozenset(n for n in placed if n not in space.nodes or not space.nodes[n].ready)


def wants_gpus(view: JobView, alive: Set[str]) -> bool:
    """Whether the planner is to see the job: it lives, has its checkpoint if it needs one, and can be cut.

    A gang cannot that has lost one of its nodes, and runs on because that rank had finished. Its pods are in
    the way like anybody's. `alive` names the nodes that are not lost.
    """
    if view.job.deleted or view.job.finished or starting.awaits_checkpoint(view):
        return False
    status = view.job.status
    done = set(status.finished_ranks)
    finished = {p.node for p in status.placement if p.rank in done} if done else set()
    return finished <= alive or any(p.node not in alive for p in _unfinished(status))


def _unfinished(status: TrainingJobStatus) -> list[WorkerPlacement]:
    done = set(status.finished_ranks)
    return [p for p in status.placement if p.rank not in done]


def _node(
    node: Mapping[str, Any], foreign: Counter[str], levels: tuple[str, ...], lost: frozenset[str]
) -> Node:
    metadata, spec, status = node["metadata"], node["spec"], node["status"]
    labels, name = metadata.get("labels") or {}, metadata["name"]
    info = status.get("nodeInfo") or {}
    return Node(
        name=name,
        gpus=gpus(status.get("allocatable")),
        gpu_type=labels.get(_GPU_TYPE_LABEL, ""),
        domains=tuple(labels.get(level, "") for level in levels),
        foreign=foreign[name],
        ready=name not in lost,
        cordoned=bool(spec.get("unschedulable")) or any(t["key"] in _GOING for t in spec.get("taints") or ()),
        platform=f"{info.get('architecture', '')}/{info.get('kernelVersion', '')}",
    )


def _foreign(pods: Iterable[Mapping[str, Any]], jobs: Mapping[str, Share]) -> Counter[str]:
    """GPUs by node of pods, less what each is reckoned with as one of a job's, present or to be gone.

    The labels may be forged: a pod may ask for more than a worker of its job does.
    """
    used: Counter[str] = Counter()
    for pod in pods:
        node, phase = pod["spec"].get("nodeName"), pod.get("status", {}).get("phase")
        if node and phase not in ("Succeeded", "Failed"):
            asked = sum(gpus((c.get("resources") or {}).get("limits")) for c in pod["spec"]["containers"])
            used[node] += max(0, asked - _reckoned(pod, jobs))
    return used


def _reckoned(pod: Mapping[str, Any], jobs: Mapping[str, Share]) -> int:
    share = jobs.get(worker_of(pod) or "")
    return share.gpus if share and share.namespace == pod["metadata"]["namespace"] else 0
