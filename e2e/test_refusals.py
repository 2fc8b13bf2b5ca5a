"""Bad input is refused when it is applied, with a message that names the field and what is allowed."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import StartJob, job_manifest
from scenario.kubectl import Kubectl, KubectlError, Resource
from scenario.names import WORKER_IMAGE

Edit = Callable[[Resource], object]


def spec(**fields: Any) -> Edit:
    return lambda body: body["spec"].update(fields)


def gpus(count: int) -> Edit:
    return lambda body: containers(body)[0]["resources"]["limits"].update({"nvidia.com/gpu": count})


def second_gpu_container(body: Resource) -> None:
    containers(body).append({**deepcopy(containers(body)[0]), "name": "other"})


def containers(body: Resource) -> list[Resource]:
    found: list[Resource] = body["spec"]["template"]["spec"]["containers"]
    return found


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        pytest.param(spec(workers=0), "spec.workers", id="no workers"),
        pytest.param(spec(tier="platinum"), "tier", id="unknown tier"),
        pytest.param(gpus(-1), "nvidia.com/gpu", id="negative GPUs"),
        pytest.param(second_gpu_container, "spec.container", id="two GPU containers, none named"),
        pytest.param(spec(restoreFrom={"name": "nowhere"}), "restoreFrom", id="restore from nothing"),
        pytest.param(spec(backoffLimit=-1), "spec.backoffLimit", id="negative backoff limit"),
        pytest.param(spec(activeDeadlineSeconds=0), "spec.activeDeadlineSeconds", id="no time at all"),
        pytest.param(spec(template={"spec": {"containers": []}}), "containers", id="no container"),
    ],
)
def test_bad_input_is_refused_at_apply(kubectl: Kubectl, namespace: str, edit: Edit, field: str) -> None:
    body = job_manifest("bad", WORKER_IMAGE, ["true"])
    body["metadata"]["namespace"] = namespace
    edit(body)
    with pytest.raises(KubectlError) as refusal:
        kubectl.apply(body)
    assert field in str(refusal.value)
    assert kubectl.get("trainingjob", "bad", namespace) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"container": "other"}, id="container"),
        pytest.param({"restoreFrom": {"name": "other"}}, id="restoreFrom"),
        pytest.param({"template": {"metadata": {"labels": {"new": "label"}}}}, id="template"),
    ],
)
def test_an_immutable_field_cannot_be_changed(start: StartJob, change: Resource) -> None:
    job = start("fixed", steps=5, suspend=True)
    with pytest.raises(KubectlError, match="immutable"):
        job.patch(change)


def test_explain_reads_as_documentation(kubectl: Kubectl) -> None:
    text = kubectl.run("explain", "trainingjob.spec")
    assert "How many workers the job has" in text
    assert "Stop the job and free its GPUs" in text


def test_the_table_answers_the_usual_questions(start: StartJob, kubectl: Kubectl) -> None:
    job = start("listed", steps=5, suspend=True)
    job.until_phase(JobPhase.SUSPENDED)
    header, row = kubectl.run("get", "tj", "-n", job.namespace).splitlines()
    assert {"PHASE", "TIER", "GPUS", "NODES", "LAST-CHECKPOINT", "AGE"} <= set(header.split())
    assert {"listed", "Suspended", "standard"} <= set(row.split())
