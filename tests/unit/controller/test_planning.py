"""What the planner says, in the words of the jobs' owners."""

from typing import Any

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.controller import fleet
from ergosphere.controller.cache import Cache
from ergosphere.controller.feasible import Feasible
from ergosphere.controller.planning import Decisions, by_name, decide
from ergosphere.controller.resources import CHECKPOINTS, NODES, SERVICE_TIERS, TRAINING_JOBS
from ergosphere.scheduling.plan import Follower

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def test_other_jobs_are_named_as_their_owners_name_them():
    message = f"Yields its GPUs to {UID}, whose premium promise of 0.95 would break otherwise."
    assert by_name(message, {UID: ("lab", "digits")}) == (
        "Yields its GPUs to lab/digits, whose premium promise of 0.95 would break otherwise."
    )


def test_what_only_looks_like_a_job_stays_as_it_is():
    assert by_name(f"Leaves {UID}.", {}) == f"Leaves {UID}."


def node_affinity(expression: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def node(name: str) -> dict[str, Any]:
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"nvidia.com/gpu": "4"},
        "nodeInfo": {"architecture": "amd64", "kernelVersion": "6.18"},
    }
    labels = {"size": "7"}
    return {
        "metadata": {"name": name, "resourceVersion": f"{name}-1", "labels": labels},
        "spec": {},
        "status": status,
    }


def submitted(name: str, uid: str, resources: Any = None, **pod: Any) -> dict[str, Any]:
    limits = {"limits": {"nvidia.com/gpu": 1}}
    container = {"name": "main", "image": "img", "resources": limits | (resources or {})}
    return {
        "metadata": {"name": name, "namespace": "lab", "uid": uid, "resourceVersion": uid},
        "spec": {"template": {"spec": {"containers": [container], **pod}}, "tier": "standard"},
    }


def decided(*jobs: dict[str, Any], checkpoint: dict[str, Any] | None = None) -> Decisions:
    cache = Cache()
    tier = {"metadata": {"name": "standard", "resourceVersion": "t"}, "spec": {"fraction": "0.5"}}
    cache.put(SERVICE_TIERS, tier)
    cache.put(NODES, node("n1"))
    for job in jobs:
        cache.put(TRAINING_JOBS, job)
    if checkpoint:
        cache.put(CHECKPOINTS, checkpoint)
    return decide(cache, 0.0, (), Follower())


@pytest.mark.parametrize(
    "odd",
    [
        {"resources": {"requests": {"memory": "64GB"}}},
        {"resources": {"requests": {"memory": "1e1000000"}}},
        {"nodeSelector": ["a"]},
        {"affinity": "x"},
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"readOnly": True}}]},
        {"affinity": node_affinity({"key": "size", "operator": "Gt", "values": ["much"]})},
        {"affinity": node_affinity({"key": "size", "operator": "Gt"})},
    ],
    ids=lambda odd: str(next(iter(odd))),
)
def test_a_job_whose_template_makes_no_sense_waits_and_the_others_are_planned(odd: dict[str, Any]) -> None:
    found = decided(submitted("odd", "u-1", **odd), submitted("good", "u-2"))
    assert set(found.actions) == {("lab", "good")}
    assert found.waiting["lab", "odd"].reason == "InvalidTemplate"


@pytest.mark.parametrize(("failed", "seconds"), [(1, 15), (2, 30), (6, 300), (99, 300)])
def test_a_node_that_could_not_take_the_job_is_left_out_ever_longer(failed: int, seconds: int) -> None:
    scene = Scene().placed("n1", incarnation=failed, unfitNodes=["n2"], ranIncarnation=0)
    view, began = scene.view(), NOW.timestamp()
    feasible = Feasible([])
    assert fleet.job(view, feasible, (), began + seconds - 1).excluded == {"n2"}
    assert fleet.job(view, feasible, (), began + seconds).excluded == set()


def test_only_a_job_that_goes_on_waits_for_a_node_like_the_one_it_was_cut_on() -> None:
    platform = {"architecture": "arm64", "kernel": "6.18", "cpuFlags": "f"}
    waits, over = submitted("waits", "u-1"), submitted("over", "u-2")
    waits["status"] = {"platform": platform}
    done = {"type": "Complete", "status": "True", "reason": "Completed", "observedGeneration": 1}
    done["lastTransitionTime"] = "2026-01-01T12:00:00Z"
    over["status"] = {"platform": platform, "conditions": [done]}
    found = decided(waits, over).waiting
    assert found["lab", "waits"].reason == "NoCompatibleNode"
    assert ("lab", "over") not in found


def test_a_job_that_starts_from_anothers_checkpoint_waits_for_a_node_like_the_one_that_was_cut_on() -> None:
    platform = {"architecture": "arm64", "kernel": "6.18", "cpuFlags": "f"}
    ready = {"type": "Ready", "status": "True", "reason": "Stored", "observedGeneration": 1}
    ready["lastTransitionTime"] = "2026-01-01T12:00:00Z"
    checkpoint = {
        "metadata": {"name": "other-1", "namespace": "lab", "uid": "c-1", "resourceVersion": "c"},
        "spec": {"jobName": "other"},
        "status": {"id": "lab/other/c-1", "jobUid": "u-0", "platform": platform, "conditions": [ready]},
    }
    job = submitted("new", "u-1")
    job["spec"]["restoreFrom"] = {"name": "other-1"}
    found = decided(job, checkpoint=checkpoint)
    assert found.actions == {}
    assert found.waiting["lab", "new"].reason == "NoCompatibleNode"
