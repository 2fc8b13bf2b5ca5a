"""A short-lived pod of the agent's image that does something in the store."""

from collections.abc import Sequence
from typing import Any

from ergosphere.api.meta import LABEL_MANAGED_BY, MANAGED_BY

from . import store
from .settings import PodSettings


def errand_pod(name: str, namespace: str, arguments: Sequence[str], settings: PodSettings) -> dict[str, Any]:
    """A pod in `namespace` that runs the agent's program with `arguments` and ends."""
    container: dict[str, Any] = {
        "name": "agent",
        "image": settings.agent_image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": list(arguments),
        "env": [{"name": key, "value": value} for key, value in store.environment(settings).items()],
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}},
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": store.mounts(settings),
        **store.credentials(settings),
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "activeDeadlineSeconds": 600,
        "containers": [container],
        "volumes": store.volumes(settings),
    }
    if settings.user_namespaces:
        spec["hostUsers"] = False
    metadata = {"name": name, "namespace": namespace, "labels": {LABEL_MANAGED_BY: MANAGED_BY}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
