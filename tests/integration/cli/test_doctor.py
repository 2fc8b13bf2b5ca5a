"""What `ergo doctor` finds on a cluster, sound or not."""

import json

import pytest
from tests.integration.cli.ergo import Ergo
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.world import World
from tests.integration.helm import NAMESPACE, Helm
from tests.integration.resources import training_job

from cluster.embedded.certificates import kubeconfig
from ergosphere.api.training_job import TrainingJob
from ergosphere.workload.pod import Worker, worker_pod
from ergosphere.workload.settings import PodSettings

_API = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


async def found(ergo: Ergo, *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = await ergo.run("doctor", "-o", "json", *arguments)
    return done.status, {finding["check"]: finding for finding in json.loads(done.output)}


async def test_a_cluster_without_ergosphere_is_told_to_install_it(helm: Helm) -> None:
    status, findings = await found(Ergo(helm.plane.kubeconfig, "default"))
    assert status == 1
    for check in ("kind trainingjobs", "operator", "leader"):
        assert findings[check]["state"] == "wrong"
    assert findings["operator"]["mend"].startswith("install the chart")


async def test_the_chart_gives_what_the_doctor_asks_for(helm: Helm) -> None:
    helm.install("--set", "store.hostPath=,store.claim=checkpoints,webhook.enabled=false")
    status, findings = await found(Ergo(helm.plane.kubeconfig, "default"))
    for check in ("Kubernetes", "kind trainingjobs", "kind checkpoints", "kind servicetiers"):
        assert findings[check]["state"] == "ok", findings[check]
    assert findings["operator's permissions"]["state"] == "ok"
    assert findings["your permissions"]["state"] == "ok"
    assert findings["operator"]["says"] == "0 of 1 ready"
    assert findings["store"]["mend"] == (
        "create a PersistentVolumeClaim checkpoints (ReadWriteMany) in this namespace"
    )
    assert status == 1


async def test_kinds_of_another_version_are_found(helm: Helm) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trainingjobs.ergosphere.dev"
    versions = helm.plane.api.get(path).object["spec"]["versions"]
    del versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["migration"]
    helm.plane.api.merge(path, {"spec": {"versions": versions}})
    _, findings = await found(Ergo(helm.plane.kubeconfig, "default"))
    assert findings["kind trainingjobs"]["state"] == "warning"


async def test_a_user_who_may_nothing_is_told_what_to_ask_for(helm: Helm, tmp_path) -> None:
    plane = helm.plane
    nobody = tmp_path / "nobody"
    nobody.write_text(
        kubeconfig("test", plane.server, plane.authority.certificate, plane.authority.issue("nobody"))
    )
    ergo = Ergo(nobody, "default")
    status, findings = await found(ergo)
    assert "patch trainingjobs" in findings["your permissions"]["says"]
    assert findings["operator"]["state"] == "unknown"
    status, line = await ergo.refused("jobs")
    assert status == 4
    assert 'User "nobody" cannot list resource "trainingjobs"' in line


@pytest.mark.parametrize(("level", "status"), [("privileged", 201), ("baseline", 403), ("restricted", 403)])
async def test_where_pod_security_refuses_workers_the_namespace_is_what_is_wrong(
    helm: Helm, level: str, status: int
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    helm.plane.api.create("/api/v1/namespaces", {"metadata": {"name": level, "labels": labels}})
    metadata = {"name": "a", "namespace": level, "uid": "0123456789"}
    job = TrainingJob.parse(training_job() | {"metadata": metadata})
    pod = worker_pod(job, Worker(0, 1, 1, "n1"), PodSettings("agent", "s3://bucket"))
    assert helm.plane.api.create(f"/api/v1/namespaces/{level}/pods", pod).status == status
    _, findings = await found(Ergo(helm.plane.kubeconfig, level), "-n", level)
    assert (f"namespace {level}" in findings) == (status == 403)


@pytest.fixture
def installed(plane: ControlPlane) -> None:
    """The operator's Deployment, as far as the doctor looks at it; the world's operator runs apart."""
    container = {
        "name": "operator",
        "image": "operator",
        "env": [{"name": "ERGO_AGENT_IMAGE", "value": "agent"}],
    }
    labels = {"app.kubernetes.io/name": "ergosphere"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"serviceAccountName": "e", "containers": [container]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    plane.api.create(_API, {"metadata": {"name": "ergosphere", "labels": labels}, "spec": spec})


@pytest.mark.usefixtures("installed")
async def test_a_small_job_goes_the_whole_way_and_leaves_nothing(world: World, ergo: Ergo) -> None:
    _, findings = await found(ergo, "--try", "-n", world.name)
    steps = [f for check, f in findings.items() if check.startswith("trial")]
    assert [step["state"] for step in steps] == ["ok"] * 4, steps
    await world.history.until(lambda: not world.history.jobs(), "the job deleted")
    await world.history.until(lambda: not world.history.checkpoints(), "its checkpoints deleted")


@pytest.mark.usefixtures("installed")
async def test_where_no_node_takes_the_job_the_trial_says_so(world: World, ergo: Ergo) -> None:
    for node in ("n1", "n2"):
        await world.cordon(node)
    _, findings = await found(ergo, "--try", "--timeout", "2", "-n", world.name)
    assert "NoSuitableNode" in findings["trial: run a job"]["says"]
    assert "trial: save it" not in findings
