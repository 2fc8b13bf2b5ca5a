"""What `ergo plan` makes of a cluster's objects."""

from typing import Any

from ergosphere.cli.plan import Step, planned
from ergosphere.controller.resources import NODES, PODS, SERVICE_TIERS, TRAINING_JOBS

NOW = 1_800_000_000.0


def node(name: str, gpus: int, **spec: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True"}
    status = {"allocatable": {"nvidia.com/gpu": str(gpus)}, "conditions": [ready]}
    return {"metadata": {"name": name, "resourceVersion": "1"}, "spec": spec, "status": status}


def job(name: str, gpus: int, **status: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "i", "command": ["train"]}
    container["resources"] = {"limits": {"nvidia.com/gpu": gpus}}
    metadata = {"name": name, "namespace": "lab", "uid": f"u-{name}", "resourceVersion": "1"}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    spec = {"tier": "basic", "template": {"spec": {"containers": [container]}}}
    return {"metadata": metadata, "spec": spec, "status": status}


def steps(jobs: list[dict[str, Any]], *nodes: dict[str, Any]) -> list[Step]:
    tier = {"metadata": {"name": "basic", "resourceVersion": "1"}, "spec": {"order": 0}}
    objects = {TRAINING_JOBS: jobs, NODES: nodes, SERVICE_TIERS: [tier], PODS: []}
    return planned(objects, NOW, ())


def test_a_job_that_fits_would_be_started_and_another_waits_and_is_told_for_what():
    started, waiting = steps([job("a", 3), job("b", 2)], node("n1", 4))
    assert (started.name, started.nodes, started.reason) == ("b", ["n1"], "Fits")
    assert (waiting.name, waiting.action, waiting.reason) == ("a", "Wait", "NoRoom")
    assert waiting.message.startswith("Waits for 3 GPUs on one node; 2 free on n1.")


def test_a_job_on_a_cordoned_node_would_be_moved():
    placement = [{"rank": 0, "node": "n1"}]
    running = job("a", 2, placement=placement, incarnation=1, ranIncarnation=1)
    (move,) = steps([running], node("n1", 2, unschedulable=True), node("n2", 2))
    assert move == Step("lab", "a", "Migrate", ["n2"], "NodeCordoned", "Leaves n1, which is being emptied.")


def test_a_cluster_at_rest_has_no_steps():
    placement = [{"rank": 0, "node": "n1"}]
    running = job("a", 2, placement=placement, incarnation=1, ranIncarnation=1)
    assert steps([running], node("n1", 2)) == []
