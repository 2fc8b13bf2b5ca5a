"""What the API server does with a TrainingJob at apply time: defaults, and refusals with remedies."""

from typing import Any

import pytest
from tests.integration.api import Api
from tests.integration.resources import container, jobs, pod, training_job

CONTAINERS = "spec.template.spec.containers"
POD = "spec.template.spec"

COOPERATIVE = {"mode": "Cooperative", "cooperative": {"directory": "/state"}}

RESERVED_MOUNT = {"name": "ergosphere-run", "mountPath": "/x"}


def test_what_a_user_leaves_out_has_the_documented_defaults(api: Api, namespace: str) -> None:
    spec = api.create(jobs(namespace), training_job()).object["spec"]
    del spec["template"]
    assert spec == {
        "workers": 1,
        "tier": "standard",
        "priority": 0,
        "suspend": False,
        "backoffLimit": 6,
        "checkpoint": {"mode": "Transparent", "intervalSeconds": 0, "keep": 3, "deletionPolicy": "Retain"},
    }


def test_a_template_is_stored_as_it_was_written(api: Api, namespace: str) -> None:
    template = pod(
        container(
            env=[{"name": "A", "value": "b"}],
            tty=False,
            volumeMounts=[{"name": "data", "mountPath": "/data"}],
        ),
        nodeSelector={"disk": "fast"},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        volumes=[{"name": "data", "emptyDir": {}}],
        securityContext={"runAsUser": 1000, "fsGroup": 7},
    )
    assert api.create(jobs(namespace), training_job(template)).object["spec"]["template"] == template


ACCEPTED = {
    "no GPU at all": training_job(pod(container(gpus=None))),
    "GPUs as text": training_job(pod(container(gpus="8"))),
    "two containers, one with GPUs": training_job(pod(container("a"), container("b", gpus=0, command=[]))),
    "two containers with GPUs, one named": training_job(pod(container("a"), container("b")), container="b"),
    "restartPolicy Never": training_job(pod(restartPolicy="Never")),
    "elasticity": training_job(
        checkpoint=COOPERATIVE, workers=2, elasticity={"minWorkers": 1, "maxWorkers": 4}
    ),
    "paths with dots, and one that ends with /": training_job(
        pod(
            container(
                volumeMounts=[
                    {"name": f"v{n}", "mountPath": path}
                    for n, path in enumerate(("/a..b/.c/...", "/d/", "/"))
                ]
            )
        )
    ),
    "a privileged helper": training_job(
        pod(container("a"), container("b", None, securityContext={"privileged": True}))
    ),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(api: Api, namespace: str, body: dict[str, Any]) -> None:
    assert api.create(jobs(namespace), body).object


REFUSED = {
    "no workers": (
        training_job(workers=0),
        "spec.workers",
        "Invalid value: 0: spec.workers in body should be greater than or equal to 1",
    ),
    "a migration of no incarnation": (
        training_job(migration={"incarnation": 0}),
        "spec.migration.incarnation",
        "Invalid value: 0: spec.migration.incarnation in body should be greater than or equal to 1",
    ),
    "a migration that names no incarnation": (
        training_job(migration={"nodes": ["n1"]}),
        "spec.migration.incarnation",
        "Required value",
    ),
    "a migration to one node twice": (
        training_job(migration={"incarnation": 1, "nodes": ["n1", "n1"]}),
        "spec.migration.nodes[1]",
        'Duplicate value: "n1"',
    ),
    "no containers": (
        training_job({"spec": {"containers": []}}),
        CONTAINERS,
        f"Invalid value: 0: {CONTAINERS} in body should have at least 1 items",
    ),
    "GPU count below zero": (
        training_job(pod(container(gpus=-1))),
        f"{CONTAINERS}[0].resources.limits",
        "nvidia.com/gpu must be a whole number from 0 to 999, not -1",
    ),
    "half a GPU": (
        training_job(pod(container(gpus="500m"))),
        f"{CONTAINERS}[0].resources.limits",
        "nvidia.com/gpu must be a whole number from 0 to 999, not 500m",
    ),
    "GPUs requested but not limited": (
        training_job(pod(container(resources={"requests": {"nvidia.com/gpu": 1}}))),
        f"{CONTAINERS}[0].resources.requests",
        "nvidia.com/gpu must be the same as in limits",
    ),
    "memory below zero": (
        training_job(pod(container(resources={"requests": {"memory": "-1Gi"}}))),
        f"{CONTAINERS}[0].resources.requests",
        "must be zero or more",
    ),
    "GPUs in an init container": (
        training_job(pod(initContainers=[container("prepare")])),
        f"{POD}.initContainers",
        "must not ask for nvidia.com/gpu: only containers can",
    ),
    "two GPU containers without a named main one": (
        training_job(pod(container("a"), container("b"))),
        "spec.container",
        "must name the main container, the one to checkpoint, when more than one asks for nvidia.com/gpu",
    ),
    "a main container that is not there": (
        training_job(pod(container("a"), container("b")), container="c"),
        "spec.container",
        "must be the name of a container of the template",
    ),
    "two containers of one name": (
        training_job(pod(container("a", gpus=None), container("a", gpus=None))),
        f"{CONTAINERS}[1]",
        'Duplicate value: {"name":"a"}',
    ),
    "no command": (
        training_job(pod(container(command=[]))),
        CONTAINERS,
        "the main container (spec.container) must have a command: "
        "Ergosphere starts it under its launcher and cannot see the image's",
    ),
    "no command in the container with GPUs": (
        training_job(pod(container("a", gpus=None), container("b", command=[]))),
        CONTAINERS,
        "the main container (spec.container) must have a command: "
        "Ergosphere starts it under its launcher and cannot see the image's",
    ),
    "a privileged main container": (
        training_job(pod(container(securityContext={"privileged": True}))),
        CONTAINERS,
        "the main container (spec.container) must not be privileged: "
        "a program with rights on its node cannot be moved to another",
    ),
    "capabilities for the main container": (
        training_job(pod(container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}))),
        CONTAINERS,
        "the main container (spec.container) must not add capabilities: "
        "Ergosphere runs the program without any",
    ),
    "a liveness probe for the main container": (
        training_job(pod(container(livenessProbe={"httpGet": {"port": 80}}))),
        CONTAINERS,
        "the main container (spec.container) must not have a livenessProbe or startupProbe: "
        "a program being saved cannot answer it",
    ),
    "an exec readiness probe for the main container": (
        training_job(pod(container(readinessProbe={"exec": {"command": ["true"]}}))),
        CONTAINERS,
        "the main container (spec.container) must not have a readinessProbe with exec: "
        "it would run with the rights of Ergosphere's launcher; use httpGet, tcpSocket or grpc",
    ),
    "a lifecycle hook for the main container": (
        training_job(pod(container(lifecycle={"preStop": {"exec": {"command": ["true"]}}}))),
        CONTAINERS,
        "the main container (spec.container) must not have a lifecycle hook: "
        "it would run with the rights of Ergosphere's launcher",
    ),
    "the reserved user, in a container": (
        training_job(pod(container(securityContext={"runAsUser": 64999}))),
        f"{CONTAINERS}[0].securityContext.runAsUser",
        "must not be 64999: Ergosphere uses that user id to keep its own files apart",
    ),
    "the reserved user, in the pod": (
        training_job(pod(securityContext={"runAsUser": 64999})),
        f"{POD}.securityContext.runAsUser",
        "must not be 64999: Ergosphere uses that user id to keep its own files apart",
    ),
    "a reserved container name": (
        training_job(pod(container("ergosphere-agent"))),
        f"{CONTAINERS}[0].name",
        "must not start with ergosphere-: such names are kept for the containers that Ergosphere adds",
    ),
    "a reserved init container name": (
        training_job(pod(initContainers=[container("ergosphere-probe", gpus=None)])),
        f"{POD}.initContainers[0].name",
        "must not start with ergosphere-: such names are kept for the containers that Ergosphere adds",
    ),
    "a reserved volume name": (
        training_job(pod(volumes=[{"name": "ergosphere-run", "emptyDir": {}}])),
        f"{POD}.volumes[0].name",
        "must not start with ergosphere-: such names are kept for the volumes that Ergosphere adds",
    ),
    "a reserved directory": (
        training_job(pod(container(volumeMounts=[{"name": "x", "mountPath": "/ergosphere/run"}]))),
        f"{CONTAINERS}[0].volumeMounts[0].mountPath",
        "must not be /ergosphere or below it: Ergosphere keeps its own files there",
    ),
    "the reserved directory itself": (
        training_job(pod(container(volumeMounts=[{"name": "x", "mountPath": "/ergosphere"}]))),
        f"{CONTAINERS}[0].volumeMounts[0].mountPath",
        "must not be /ergosphere or below it: Ergosphere keeps its own files there",
    ),
    **{
        f"the path {path}": (
            training_job(pod(container(volumeMounts=[{"name": "x", "mountPath": path}]))),
            f"{CONTAINERS}[0].volumeMounts[0].mountPath",
            "must begin with / and have no part that is empty, . or ..",
        )
        for path in (
            "ergosphere/bin/launcher",
            "/a/../ergosphere",
            "/./ergosphere/run",
            "//ergosphere",
            "/a/..",
        )
    },
    **{
        f"a reserved volume in {kind}": (
            training_job(pod(**{kind: [container(gpus=None, volumeMounts=[RESERVED_MOUNT])]})),
            f"{POD}.{kind}[0].volumeMounts[0].name",
            "must not start with ergosphere-: such names are kept for the volumes that Ergosphere adds",
        )
        for kind in ("containers", "initContainers")
    },
    "restartPolicy OnFailure": (
        training_job(pod(restartPolicy="OnFailure")),
        f"{POD}.restartPolicy",
        "must be Never or absent: Ergosphere restarts workers itself, from their last checkpoint",
    ),
    "a node by name": (
        training_job(pod(nodeName="node-1")),
        f"{POD}.nodeName",
        "must be absent: Ergosphere chooses the node; use nodeSelector or affinity",
    ),
    "a user namespace by hand": (
        training_job(pod(hostUsers=True)),
        f"{POD}.hostUsers",
        "must be absent: the operator's configuration decides on user namespaces",
    ),
    "a service account token": (
        training_job(pod(automountServiceAccountToken=True)),
        f"{POD}.automountServiceAccountToken",
        "must be false or absent: workers run without a Kubernetes token",
    ),
    "a shared process namespace": (
        training_job(pod(shareProcessNamespace=True)),
        f"{POD}.shareProcessNamespace",
        "must be false or absent: the main container's processes are saved as one tree of their own",
    ),
    **{
        field: (
            training_job(pod(**{field: True})),
            f"{POD}.{field}",
            "must be false or absent: a program that shares this with its node cannot be moved to another",
        )
        for field in ("hostNetwork", "hostPID", "hostIPC")
    },
    "elasticity without cooperation": (
        training_job(elasticity={"minWorkers": 1, "maxWorkers": 2}),
        "spec.elasticity",
        "needs checkpoint.mode Cooperative: a saved process cannot change the number of its peers",
    ),
    "fewer workers at most than at least": (
        training_job(checkpoint=COOPERATIVE, elasticity={"minWorkers": 3, "maxWorkers": 2}),
        "spec.elasticity.maxWorkers",
        "must be at least minWorkers",
    ),
    "more workers than elasticity allows": (
        training_job(checkpoint=COOPERATIVE, workers=5, elasticity={"minWorkers": 1, "maxWorkers": 4}),
        "spec.workers",
        "must be from elasticity.minWorkers to elasticity.maxWorkers",
    ),
    "cooperation without a word on how": (
        training_job(checkpoint={"mode": "Cooperative"}),
        "spec.checkpoint.cooperative",
        "must be there for mode Cooperative, and only for it",
    ),
    "an unknown mode": (
        training_job(checkpoint={"mode": "Magic"}),
        "spec.checkpoint.mode",
        'Unsupported value: "Magic": supported values: "Transparent", "Cooperative"',
    ),
    "a negative backoff limit": (
        training_job(backoffLimit=-1),
        "spec.backoffLimit",
        "Invalid value: -1: spec.backoffLimit in body should be greater than or equal to 0",
    ),
}


@pytest.mark.parametrize(("body", "field", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(api: Api, namespace: str, body: dict[str, Any], field: str, message: str) -> None:
    causes = api.create(jobs(namespace), body).causes
    assert causes[field].endswith(message), causes


def test_a_refusal_names_only_what_is_wrong(api: Api, namespace: str) -> None:
    causes = api.create(jobs(namespace), training_job(pod(container(gpus=-1)))).causes
    assert list(causes) == [f"{CONTAINERS}[0].resources.limits"]


def test_the_largest_template_can_be_checked(api: Api, namespace: str) -> None:
    """A rule that costs more than the API server allows is refused with the object, however right that is."""
    mounts = [{"name": f"v{n}", "mountPath": f"/v{n}/{'x' * 64}"} for n in range(64)]
    volumes = [{"name": f"v{n}", "emptyDir": {}} for n in range(64)]
    limits = {f"example.com/r{n}": "1" for n in range(31)}
    containers = [
        container(f"c{n}", resources={"limits": limits}, args=["x" * 32] * 1024, volumeMounts=mounts)
        for n in range(15)
    ]
    main = container("main", resources={"limits": limits | {"nvidia.com/gpu": 8}})
    body = training_job(pod(main, *containers, volumes=volumes), container="main")
    assert api.create(jobs(namespace), body).object
