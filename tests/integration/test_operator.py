"""The operator with the chart's rights on a real API server: its webhooks, and the objects that it makes."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api import Answer, Api
from tests.integration.control_plane import Programs, control_plane
from tests.integration.helm import NAMESPACE, Helm
from tests.integration.operator_process import operator
from tests.integration.resources import checkpoints, container, jobs, pod, training_job

_SECONDS = 60
_namespaces = count(1)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ergosphere-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def helm(helm_program: Path, programs: Programs, directory: Path) -> Iterator[Helm]:
    with control_plane(programs, directory) as plane:
        yield Helm(helm_program, plane)


@pytest.fixture(scope="module", autouse=True)
def running(helm: Helm, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    with operator(helm, directory) as process:
        yield process


@pytest.fixture
def server(helm: Helm) -> Api:
    return helm.plane.api


@pytest.fixture
def lab(server: Api) -> str:
    name = f"lab-{next(_namespaces)}"
    server.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def eventually(read: Callable[[], Answer], true: Callable[[Any], Any]) -> Any:
    """The object once `true` of it; fails with the object when that takes too long."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        answer = read()
        if answer.status == 200 and true(answer.body):
            return answer.body
        time.sleep(0.1)
    raise AssertionError(answer.body)


def checkpoint(name: str = "one", job: str = "digits") -> dict[str, Any]:
    kind = {"apiVersion": "ergosphere.dev/v1alpha1", "kind": "Checkpoint"}
    return kind | {"metadata": {"name": name}, "spec": {"jobName": job}}


def refusal(answer: Answer) -> str:
    assert answer.status == 422, answer.body
    return answer.body["message"].split("denied the request: ")[1]


def test_an_unknown_tier_is_refused_with_the_known_ones(server: Api, lab: str) -> None:
    said = refusal(server.create(jobs(lab), training_job(tier="gold")))
    assert said == 'spec.tier: there is no ServiceTier "gold"; it must be one of: basic, premium, standard'


def test_a_restore_from_a_checkpoint_that_is_not_there_is_refused(server: Api, lab: str) -> None:
    said = refusal(server.create(jobs(lab), training_job(restoreFrom={"name": "lost"})))
    assert said.startswith(f'spec.restoreFrom.name: there is no Checkpoint "lost" in namespace "{lab}"')


def test_a_restore_from_an_incomplete_checkpoint_is_refused(server: Api, lab: str) -> None:
    server.create(jobs(lab), training_job(suspend=True))
    server.create(checkpoints(lab), checkpoint())
    body = training_job(name="second", restoreFrom={"name": "one"})
    said = refusal(server.create(jobs(lab), body))
    assert said.startswith('spec.restoreFrom.name: the Checkpoint "one" ')
    assert said.endswith("it must be Ready")


def test_a_checkpoint_of_another_namespace_is_out_of_reach(server: Api, lab: str) -> None:
    server.create(jobs(lab), training_job(suspend=True))
    server.create(checkpoints(lab), checkpoint())
    server.create("/api/v1/namespaces", {"metadata": {"name": f"{lab}-other"}})
    body = training_job(restoreFrom={"name": "one"})
    assert "there is no Checkpoint" in refusal(server.create(jobs(f"{lab}-other"), body))


def test_a_checkpoint_of_no_job_is_refused(server: Api, lab: str) -> None:
    said = refusal(server.create(checkpoints(lab), checkpoint(job="nobody")))
    assert said.startswith(f'spec.jobName: there is no TrainingJob "nobody" in namespace "{lab}"')


def test_a_template_cannot_change_where_the_kind_does_not_know_the_fields(server: Api, lab: str) -> None:
    server.create(jobs(lab), training_job(pod(container(stdin=False)), suspend=True))
    changed = {"template": {"spec": {"containers": [container(tty=False)]}}}
    said = refusal(server.merge(f"{jobs(lab)}/digits", {"spec": changed}))
    assert said == "spec.template: is immutable: create a new TrainingJob instead"


def test_a_suspended_job_says_so(server: Api, lab: str) -> None:
    server.create(jobs(lab), training_job(suspend=True))
    job = eventually(lambda: server.get(f"{jobs(lab)}/digits"), lambda j: j.get("status", {}).get("phase"))
    assert job["status"]["phase"] == "Suspended"
    assert job["status"]["observedGeneration"] == 1


def test_a_job_that_fits_gets_its_pod_and_all_that_belongs_to_it(server: Api, lab: str) -> None:
    offer_node(server, lab)
    server.create(jobs(lab), training_job(pod(nodeSelector={"lab": lab})))
    pods = f"/api/v1/namespaces/{lab}/pods"
    (made,) = eventually(lambda: server.get(pods), lambda found: found["items"])["items"]
    job = eventually(
        lambda: server.get(f"{jobs(lab)}/digits"), lambda j: j.get("status", {}).get("phase") == "Starting"
    )
    assert job["status"]["nodes"] == lab
    assert made["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert made["spec"]["hostUsers"] is False
    assert server.get(f"/apis/policy/v1/namespaces/{lab}/poddisruptionbudgets").object["items"]
    assert server.get(f"/api/v1/namespaces/{lab}/secrets").object["items"]
    assert eventually(lambda: server.get(f"/api/v1/namespaces/{lab}/events"), lambda found: found["items"])


def test_the_operator_leads_and_keeps_its_authority_to_itself(server: Api) -> None:
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    assert eventually(lambda: server.get(leases), lambda found: found["items"])
    assert server.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/ergosphere-authority").status == 200


def test_nothing_was_forbidden(helm: Helm, directory: Path) -> None:
    """Last, so that all of the above has been done with the chart's rights."""
    asked = helm.plane.asked()
    assert {request.right.resource for request in asked if request.right} >= {"leases", "secrets", "nodes"}
    assert [request.uri for request in asked if request.forbidden] == []
    assert "Traceback" not in (directory / "operator.log").read_text()


def offer_node(server: Api, name: str) -> None:
    """A Ready node with four GPUs. The API server taints a new node until somebody says that it is ready."""
    room = {"nvidia.com/gpu": "4", "cpu": "8", "memory": "32Gi", "pods": "110"}
    ready = [{"type": "Ready", "status": "True", "reason": "Tested"}]
    status = {"capacity": room, "allocatable": room, "conditions": ready}
    labels = {"lab": name, "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}
    node = {"metadata": {"name": name, "labels": labels}, "status": status}
    assert server.create("/api/v1/nodes", node).object
    assert server.merge(f"/api/v1/nodes/{name}", {"spec": {"taints": None}}).object
