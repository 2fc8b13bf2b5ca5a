"""The same scenario as the API server would tell it to the operator: nodes, jobs, and their pods."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bench.planner.scenario import LEVELS, NOW, Scenario
from ergosphere.api.meta import GPU_RESOURCE, LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.controller.cache import Cache
from ergosphere.controller.resources import NODES, PODS, SERVICE_TIERS, TRAINING_JOBS
from ergosphere.scheduling.model import DEFAULT_TIERS, Job, Node

_versions = count(1)


def cache_of(given: Scenario) -> Cache:
    """What an operator knows that has listed all of it."""
    cache = Cache()
    for tier in DEFAULT_TIERS.values():
        spec = {"order": tier.rank} | ({"gpuFraction": str(tier.promise)} if tier.promise else {})
        cache.put(SERVICE_TIERS, {"metadata": _metadata(tier.name.lower()), "spec": spec})
    for node in given.fleet.nodes.values():
        cache.put(NODES, _node(node))
    for number, job in enumerate(given.jobs):
        uid = f"00000000-0000-0000-0000-{number:012}"
        cache.put(TRAINING_JOBS, _job(job, uid))
        for pod in _pods(job, uid):
            cache.put(PODS, pod)
    return cache


def _metadata(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "resourceVersion": str(next(_versions)), "creationTimestamp": _time(NOW), **more}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _node(node: Node) -> dict[str, Any]:
    labels = dict(zip(LEVELS, node.domains, strict=True)) | {"nvidia.com/gpu.product": node.gpu_type}
    return {
        "metadata": _metadata(node.name, labels=labels),
        "spec": {"unschedulable": node.cordoned},
        "status": {
            "allocatable": {GPU_RESOURCE: str(node.gpus)},
            "nodeInfo": {"architecture": "amd64", "kernelVersion": "6.18"},
            "conditions": [{"type": "Ready", "status": str(node.ready)}],
        },
    }


def _containers(job: Job) -> list[dict[str, Any]]:
    resources = {"limits": {GPU_RESOURCE: job.gpus_per_worker}}
    return [{"name": "main", "image": "trainer", "command": ["python", "train.py"], "resources": resources}]


def _job(job: Job, uid: str) -> dict[str, Any]:
    ledger = [{"since": _time(s), "workers": w, "asked": asked} for s, w, asked in job.ledger.changes]
    saved = {"name": "last", "time": _time(NOW), "bytes": job.moving.bytes}
    status: dict[str, Any] = {"phase": "Pending", "ledger": ledger, "lastCheckpoint": saved}
    if job.placement:
        placement = [{"rank": rank, "node": node} for rank, node in enumerate(job.placement)]
        status |= {"phase": "Running", "incarnation": 1, "ranIncarnation": 1, "placement": placement}
        status |= {"placedTime": _time(job.started)}
    if job.admitted is not None:
        status["admittedTime"] = _time(job.admitted)
    return {
        "metadata": _metadata(job.name, namespace="lab", uid=uid, generation=1),
        "spec": _spec(job),
        "status": status,
    }


def _spec(job: Job) -> dict[str, Any]:
    spec: dict[str, Any] = {"tier": job.tier.lower(), "workers": job.workers}
    if job.elastic:
        spec["elasticity"] = {"minWorkers": job.min_workers, "maxWorkers": job.max_workers}
    topology = {"preferred": job.topology.level} if job.topology else {}
    spec["placement"] = {"gpuTypes": sorted(job.gpu_types), "topology": topology}
    return spec | {"template": {"spec": {"containers": _containers(job)}}}


def _pods(job: Job, uid: str) -> Iterator[dict[str, Any]]:
    for rank, node in enumerate(job.placement):
        name = f"{job.name}-1-{rank}"
        labels = {LABEL_JOB_UID: uid, LABEL_RANK: str(rank), LABEL_INCARNATION: "1"}
        owners = [{"uid": uid, "controller": True}]
        own = {"namespace": "lab", "uid": f"{uid}-{rank}", "labels": labels, "ownerReferences": owners}
        running = [{"name": "main", "state": {"running": {}}}]
        yield {
            "metadata": _metadata(name, **own),
            "spec": {"nodeName": node, "containers": _containers(job)},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": running},
        }
