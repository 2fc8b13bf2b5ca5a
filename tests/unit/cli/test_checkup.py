"""What the doctor makes of what the cluster says."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from ergosphere.api.render import DEFINITIONS, definition
from ergosphere.cli.checkup import OLDEST_KUBERNETES, Facts, Installation, examined
from ergosphere.cli.failure import NotFound, Unreachable
from ergosphere.cli.finding import State, dotted, numbers
from ergosphere.cli.fitness import OLDEST_KERNEL, fitness
from ergosphere.cli.permissions import OF_THE_OPERATOR

ROOT = Path(__file__).parents[3]

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def node(name="n1", kernel="6.18.5", runtime="containerd://2.4.2", gpus=4, ready=True):
    info = {"kernelVersion": kernel, "containerRuntimeVersion": runtime, "architecture": "amd64"}
    condition = {"type": "Ready", "status": str(ready)}
    status = {"nodeInfo": info, "conditions": [condition], "allocatable": {"nvidia.com/gpu": gpus}}
    return {"metadata": {"name": name}, "spec": {}, "status": status}


def installation(ready=1, replicas=1, **environment):
    env = [{"name": name, "value": value} for name, value in environment.items()]
    spec = {"serviceAccountName": "ergosphere", "containers": [{"name": "operator", "env": env}]}
    metadata = {"name": "ergosphere", "namespace": "ergosphere-system"}
    body = {"metadata": metadata, "spec": {"replicas": replicas, "template": {"spec": spec}}}
    return Installation(body | {"status": {"readyReplicas": ready}})


def kind(of):
    established = {"type": "Established", "status": "True"}
    return definition(of) | {"status": {"conditions": [established]}}


def namespace(level):
    labels = {"pod-security.kubernetes.io/enforce": level}
    return {"metadata": {"name": "lab", "labels": labels}}


def claim(phase):
    return {"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": phase}}


def lease(holder="operator-1", ago=3):
    return {"spec": {"holderIdentity": holder, "renewTime": (NOW - timedelta(seconds=ago)).isoformat()}}


ON_A_VOLUME = {"ERGO_STORE_URL": "file:///ergosphere/store", "ERGO_STORE_PVC": "c"}

SOUND = Facts(
    at=NOW,
    version={"gitVersion": "v1.37.2"},
    kinds={d.name: kind(d) for d in DEFINITIONS},
    operator=installation(ERGO_STORE_URL="s3://bucket/jobs"),
    lease=lease(),
    nodes=[node("n1"), node("n2")],
    checkpoints=[],
)


def wrong(facts):
    return {f.check: f for f in examined(facts) if f.state in (State.WRONG, State.WARNING)}


def test_nothing_is_wrong_with_a_sound_cluster():
    assert wrong(SOUND) == {}


@pytest.mark.parametrize(
    ("change", "check", "mend"),
    [
        ({"version": {"gitVersion": "v1.31.0"}}, "Kubernetes", "1.35 or newer"),
        ({"operator": NotFound("none")}, "operator", "install the chart"),
        (
            {"operator": installation(ready=0)},
            "operator",
            "kubectl logs -n ergosphere-system deploy/ergosphere",
        ),
        ({"lease": NotFound("none")}, "leader", "logs"),
        ({"lease": lease(holder="")}, "leader", "nobody leads"),
        ({"lease": lease(ago=60)}, "leader", "clock"),
        ({"nodes": [node("n1"), node("n1", kernel="5.15.0")]}, "node n1", "Linux 6.6 or newer"),
        ({"nodes": [node(), node(runtime="containerd://1.7.2")]}, "node n1", "containerd 2.0 or newer"),
        ({"nodes": [node(), node(ready=False)]}, "node n1", "kubectl describe node n1"),
        ({"nodes": [node(gpus=0), node(gpus=0)]}, "GPUs", "device plugin"),
        ({"nodes": [node("n1"), node("n2", kernel="6.19.0")]}, "moves", "the same kernel"),
        ({"operator": installation(ERGO_STORE_URL="file:///s")}, "store", "store.hostPath or store.claim"),
        (
            {"operator": installation(ERGO_STORE_HOSTPATH="/s", **ON_A_VOLUME)},
            "store",
            "the same file system",
        ),
        ({"operator": installation(**ON_A_VOLUME), "claim": NotFound("no")}, "store", "create a Persistent"),
        (
            {"operator": installation(**ON_A_VOLUME), "claim": claim("Lost")},
            "store",
            "kubectl describe pvc c",
        ),
        ({"operator": installation(**ON_A_VOLUME), "claim": claim("Bound")}, "store", "ReadWriteMany"),
        ({"secret": NotFound("no")}, "store", "create the Secret"),
        ({"namespace": NotFound("no")}, "namespace", "create it"),
        ({"namespace": namespace("restricted")}, "namespace lab", "kubectl label"),
        ({"denied": ["patch trainingjobs"]}, "your permissions", "edit"),
        ({"operator_denied": ["create pods"]}, "operator's permissions", "helm upgrade"),
    ],
)
def test_what_is_wrong_is_found_and_can_be_mended(change, check, mend):
    assert mend in wrong(replace(SOUND, **change))[check].mend


def test_old_runtimes_will_do_where_workers_need_no_user_namespaces():
    operator = installation(ERGO_STORE_URL="s3://b", ERGO_USER_NAMESPACES="false")
    nodes = [node(name, runtime="containerd://1.7.2") for name in ("n1", "n2")]
    assert wrong(replace(SOUND, operator=operator, nodes=nodes)) == {}


def test_sockets_of_older_kernels_are_to_be_looked_at():
    old, new = node("a", "6.12.1"), node("b", "6.17.0")
    (told,) = (f for f in fitness([old, new], user_namespaces=True) if f.check == "socket buffers")
    assert told.state is State.UNKNOWN
    assert told.says.endswith(": a")
    assert "socket buffers" not in {f.check for f in fitness([new], user_namespaces=True)}


def test_what_may_not_be_seen_is_unknown_and_not_wrong():
    hidden = Unreachable("forbidden")
    facts = replace(SOUND, operator=hidden, lease=hidden, nodes=hidden, checkpoints=hidden)
    assert wrong(facts) == {}
    unknown = {f.check for f in examined(facts) if f.state is State.UNKNOWN}
    assert unknown == {"operator", "leader", "nodes", "store", "checkpoints"}


@pytest.mark.parametrize(
    ("text", "parts"), [("v1.37.2", (1, 37)), ("6.6-rc1", (6, 6)), ("6.18.5-amd64", (6, 18)), ("", ())]
)
def test_versions_are_compared_by_their_first_two_numbers(text, parts):
    assert numbers(text) == parts


def test_the_doctor_the_chart_and_the_documents_ask_for_the_same():
    kubernetes, kernel = dotted(OLDEST_KUBERNETES), dotted(OLDEST_KERNEL)
    chart = yaml.safe_load((ROOT / "charts/ergosphere/Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={kubernetes}.0-0"
    for document in ("README.md", "docs/install.md"):
        text = (ROOT / document).read_text()
        assert f"Kubernetes {kubernetes} or newer" in text
        assert f"Linux {kernel} or newer" in text


def test_what_the_operator_is_asked_about_it_may_by_the_chart():
    roles = (ROOT / "charts/ergosphere/templates/rbac.yaml").read_text()
    role = yaml.safe_load(re.sub(r"^.*\{\{.*\}\}.*$", "", roles.split("\n---\n")[0], flags=re.M))
    allowed = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    asked = (p.attributes("") for p in OF_THE_OPERATOR)
    assert allowed >= {
        (a["group"], "/".join(filter(None, (a["resource"], a.get("subresource")))), a["verb"]) for a in asked
    }
