"""What the planner says, in the words of the jobs' owners."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.controller import fleet
from ergosphere.controller.cache import Cache
from ergosphere.controller.feasible import Feasible
from ergosphere.controller.planning import Decisions, by_name, decide
from ergosphere.controller.resources import CHECKPOINTS, NODES, PODS, SERVICE_TIERS, TRAINING_JOBS
from ergosphere.scheduling.model import Migrate, Preempt, Start
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


def decided(
    *jobs: dict[str, Any],
    checkpoint: dict[str, Any] | None = None,
    nodes: Sequence[dict[str, Any]] = (),
    pods: Sequence[dict[str, Any]] = (),
    now: float = 0.0,
) -> Decisions:
    cache = Cache()
    tier = {"metadata": {"name": "standard", "resourceVersion": "t"}, "spec": {"gpuFraction": "0.5"}}
    cache.put(SERVICE_TIERS, tier)
    for resource, objects in ((NODES, nodes or [node("n1")]), (TRAINING_JOBS, jobs), (PODS, pods)):
        for each in objects:
            cache.put(resource, each)
    if checkpoint:
        cache.put(CHECKPOINTS, checkpoint)
    return decide(cache, now, (), Follower())


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


def placed(job: dict[str, Any], *nodes: str) -> dict[str, Any]:
    """The job, running there."""
    places = [{"rank": rank, "node": name} for rank, name in enumerate(nodes)]
    job["spec"]["workers"] = len(nodes)
    job["status"] = {"placement": places, "incarnation": 1, "ranIncarnation": 1}
    job["status"]["placedTime"] = "1970-01-01T00:00:00Z"
    return job


def worker(uid: str, rank: int, name: str, gpus: int = 1, incarnation: int = 1) -> dict[str, Any]:
    """A pod with the labels and the owner of a job's worker."""
    labels = {LABEL_JOB_UID: uid, LABEL_RANK: str(rank), LABEL_INCARNATION: str(incarnation)}
    pod = f"{uid}-{incarnation}-{rank}-{name}-{gpus}"
    metadata = {"name": pod, "namespace": "lab", "uid": pod, "resourceVersion": pod, "labels": labels}
    metadata["ownerReferences"] = [{"uid": uid, "controller": True}]
    container = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    return {
        "metadata": metadata,
        "spec": {"nodeName": name, "containers": [container]},
        "status": {"phase": "Running"},
    }


def test_the_workers_of_a_job_are_not_counted_twice() -> None:
    found = decided(
        placed(submitted("runs", "u-1"), "n1", "n1"),
        submitted("fits", "u-2", {"limits": {"nvidia.com/gpu": 2}}),
        pods=[worker("u-1", 0, "n1"), worker("u-1", 1, "n1")],
    )
    assert set(found.actions) == {("lab", "fits")}


@pytest.mark.parametrize(
    "forged",
    [worker("u-1", 7, "n1"), worker("u-1", 0, "n1", gpus=2), worker("u-1", 0, "n1", incarnation=0)],
    ids=["a rank too many", "a worker twice as large", "an incarnation before"],
)
def test_gpus_of_a_pod_that_only_looks_like_a_worker_are_given_to_nobody(forged: dict[str, Any]) -> None:
    waits = submitted("waits", "u-2", {"limits": {"nvidia.com/gpu": 3}})
    found = decided(placed(submitted("runs", "u-1"), "n1"), waits, pods=[worker("u-1", 0, "n1"), forged])
    assert ("lab", "waits") not in found.actions


@pytest.mark.parametrize("key", ["karpenter.sh/disrupted", "ToBeDeletedByClusterAutoscaler"])
def test_a_node_that_is_about_to_be_taken_away_is_emptied(key: str) -> None:
    going = node("n1")
    going["spec"]["taints"] = [{"key": key, "effect": "NoSchedule"}]
    found = decided(placed(submitted("runs", "u-1"), "n1"), nodes=[going, node("n2")])
    _, action = found.actions["lab", "runs"]
    assert isinstance(action, Migrate)
    assert (action.placement, action.reason) == (("n2",), "NodeCordoned")


def test_a_job_that_finds_no_room_off_a_node_that_is_emptied_says_so() -> None:
    going = node("n1")
    going["spec"]["unschedulable"] = True
    found = decided(placed(submitted("runs", "u-1"), "n1"), nodes=[going])
    assert found.actions == {}
    assert found.anchored["lab", "runs"].reason == "NoRoomToLeave"
    assert "waits for 1 GPU on one node" in found.anchored["lab", "runs"].message


def orphan(name: str, uid: str) -> dict[str, Any]:
    """A job whose tier was deleted."""
    job = submitted(name, uid)
    job["spec"]["tier"] = "gone"
    return job


def test_a_job_whose_tier_was_deleted_while_it_ran_leaves_a_node_that_is_emptied() -> None:
    going = node("n1")
    going["spec"]["unschedulable"] = True
    found = decided(placed(orphan("runs", "u-1"), "n1"), orphan("waits", "u-2"), nodes=[going, node("n2")])
    assert set(found.actions) == {("lab", "runs")}
    assert {key: why.reason for key, why in found.waiting.items()} == {("lab", "waits"): "UnknownTier"}


def test_it_yields_to_those_that_are_promised_something() -> None:
    claims = submitted("claims", "u-2", {"limits": {"nvidia.com/gpu": 4}})
    claims["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"
    found = decided(placed(orphan("runs", "u-1"), "n1"), claims, now=100_000.0)
    actions = {key: type(action) for key, (_, action) in found.actions.items()}
    assert actions[("lab", "runs")] is Preempt


def backing_off(name: str, uid: str) -> dict[str, Any]:
    job = submitted(name, uid, {"limits": {"nvidia.com/gpu": 4}})
    job["status"] = {"incarnation": 1, "notBefore": "1970-01-01T00:01:00Z"}
    return job


def test_a_job_that_backs_off_reserves_no_gpus_and_comes_back_by_itself() -> None:
    found = decided(backing_off("fails", "u-1"), submitted("other", "u-2"), now=59.0)
    assert set(found.actions) == {("lab", "other")}
    assert found.waiting["lab", "fails"].reason == "BackingOff"
    assert found.waiting["lab", "fails"].message == "it failed, and is tried again at 00:01:00 UTC"
    back = decided(backing_off("fails", "u-1"), now=60.0)
    assert isinstance(back.actions["lab", "fails"][1], Start)
    assert back.waiting == {}
