"""What of a TrainingJob can be changed, and by whom."""

from typing import Any

import pytest
from tests.integration.api import Api
from tests.integration.resources import container, jobs, pod, training_job

COOPERATIVE = {"mode": "Cooperative", "cooperative": {"directory": "/state"}}
NEW = "is immutable: create a new TrainingJob instead"


def containers(**fields: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [container(**fields)]}}}


IMMUTABLE = {
    "image": (containers(image="example.org/train:2"), "spec.template", NEW),
    "command": (containers(command=["sh"]), "spec.template", NEW),
    "GPUs": (containers(gpus=2), "spec.template", NEW),
    "a field that only Kubernetes knows": (containers(tty=True), "spec.template", NEW),
    "labels of the pods": ({"template": {"metadata": {"labels": {"a": "b"}}}}, "spec.template", NEW),
    "node selector": ({"template": {"spec": {"nodeSelector": {"a": "b"}}}}, "spec.template", NEW),
    "main container, named": ({"container": "train"}, "spec.container", NEW),
    "checkpoint to start from, added": ({"restoreFrom": {"name": "a"}}, "spec.restoreFrom", NEW),
    "mode": ({"checkpoint": COOPERATIVE}, "spec.checkpoint.mode", NEW),
    "workers": (
        {"workers": 2},
        "spec.workers",
        "is immutable with checkpoint.mode Transparent: create a new TrainingJob instead",
    ),
}


@pytest.mark.parametrize(("change", "field", "message"), IMMUTABLE.values(), ids=IMMUTABLE)
def test_an_immutable_field_is_refused(
    api: Api, namespace: str, change: dict[str, Any], field: str, message: str
) -> None:
    api.create(jobs(namespace), training_job())
    causes = api.merge(f"{jobs(namespace)}/digits", {"spec": change}).causes
    assert causes[field].endswith(message), causes


def test_a_checkpoint_to_start_from_can_be_neither_changed_nor_removed(api: Api, namespace: str) -> None:
    api.create(jobs(namespace), training_job(restoreFrom={"name": "a"}))
    for value in ({"name": "b"}, None):
        causes = api.merge(f"{jobs(namespace)}/digits", {"spec": {"restoreFrom": value}}).causes
        assert causes["spec.restoreFrom"].endswith(NEW)


def test_what_is_not_immutable_can_be_changed(api: Api, namespace: str) -> None:
    api.create(jobs(namespace), training_job())
    change = {
        "suspend": True,
        "tier": "premium",
        "priority": 5,
        "backoffLimit": 0,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 0,
        "placement": {"gpuTypes": ["NVIDIA-H200"], "topology": {"required": "topology.kubernetes.io/zone"}},
        "checkpoint": {"intervalSeconds": 600, "keep": 5, "deletionPolicy": "Delete"},
    }
    spec = api.merge(f"{jobs(namespace)}/digits", {"spec": change}).object["spec"]
    assert spec == spec | {k: v for k, v in change.items() if k != "checkpoint"}
    assert spec["checkpoint"] == {
        "mode": "Transparent",
        "intervalSeconds": 600,
        "keep": 5,
        "deletionPolicy": "Delete",
    }


def test_a_cooperative_job_can_change_its_size(api: Api, namespace: str) -> None:
    api.create(jobs(namespace), training_job(checkpoint=COOPERATIVE))
    assert api.merge(f"{jobs(namespace)}/digits", {"spec": {"workers": 2}}).object["spec"]["workers"] == 2


def test_containers_in_another_order_are_the_same_template(api: Api, namespace: str) -> None:
    a, b = container("a"), container("b", gpus=None)
    api.create(jobs(namespace), training_job(pod(a, b)))
    change = {"template": {"spec": {"containers": [b, a]}}}
    assert api.merge(f"{jobs(namespace)}/digits", {"spec": change}).object


def test_status_and_spec_are_written_apart(api: Api, namespace: str) -> None:
    api.create(jobs(namespace), training_job() | {"status": {"gpus": 5}})
    path = f"{jobs(namespace)}/digits"
    assert "status" not in api.get(path).object
    after = api.merge(f"{path}/status", {"spec": {"suspend": True}, "status": {"gpus": 1}}).object
    assert (after["spec"]["suspend"], after["status"]) == (False, {"gpus": 1})
    assert after["metadata"]["generation"] == 1


def test_applying_the_same_manifest_again_changes_nothing(api: Api, namespace: str) -> None:
    path = f"{jobs(namespace)}/digits"
    first = api.apply(path, training_job(), "user").object
    assert api.apply(path, training_job(), "user").object["metadata"] == first["metadata"]


def test_the_operator_and_a_user_own_different_fields(api: Api, namespace: str) -> None:
    path = f"{jobs(namespace)}/digits"
    api.apply(path, training_job(), "user")
    named = {key: value for key, value in training_job().items() if key != "spec"}
    status = {"status": {"gpus": 1, "placement": [{"rank": 0, "node": "node-1"}]}}
    assert api.apply(f"{path}/status", named | status, "ergosphere", force=True).object
    after = api.apply(path, training_job(suspend=True), "user").object
    assert (after["spec"]["suspend"], after["status"]["gpus"]) == (True, 1)
    assert {m["manager"] for m in after["metadata"]["managedFields"]} == {"user", "ergosphere"}


def test_a_status_that_is_applied_without_a_field_loses_it(api: Api, namespace: str) -> None:
    path = f"{jobs(namespace)}/digits"
    api.create(jobs(namespace), training_job())
    named = {key: value for key, value in training_job().items() if key != "spec"}
    cut = {"name": "digits-1", "purpose": "Leave", "reason": "Migration"}
    api.apply(f"{path}/status", named | {"status": {"cuts": 1, "cut": cut}}, "ergosphere")
    assert api.apply(f"{path}/status", named | {"status": {"cuts": 1}}, "ergosphere").object["status"] == {
        "cuts": 1
    }
