"""A short-lived pod of the agent's image that does something in the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ergosphere.api.meta import GPU_RESOURCE, LABEL_MANAGED_BY, MANAGED_BY

from . import store
from .settings import PodSettings

_RUN = timedelta(minutes=10)
# To be taken by a kubelet, from when on the deadline counts, and to have its end reported.
_MARGIN = timedelta(minutes=5)
# Where all nodes have GPUs, all may have this taint. Not any taint: nodes that are lost have some as well.
_TOLERATIONS = [{"key": GPU_RESOURCE, "operator": "Exists"}]


def succeeded(pod: Mapping[str, Any]) -> bool:
    """Whether the pod has done it."""
    return bool((pod.get("status") or {}).get("phase") == "Succeeded")


def failed(pod: Mapping[str, Any], now: datetime) -> bool:
    """Whether the pod has failed, or has not come to its end in the time it may take.

    Its own deadline counts only from when a kubelet has taken it, and only while that kubelet is there.
    """
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return bool(status["phase"] == "Failed")
    age = now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return age >= _MARGIN + (_RUN if "startTime" in status else timedelta())


def errand_pod(name: str, namespace: str, arguments: Sequence[str], settings: PodSettings) -> dict[str, Any]:
    """A pod in `namespace` that runs the agent's program with `arguments` and ends."""
    container: dict[str, Any] = {
        "name": "agent",
        "image": settings.agent_image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": list(arguments),
        "env": [{"name": key, "value": value} for key, value in store.environment(settings).items()],
        "resources": dict(settings.agent_resources),
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
        "activeDeadlineSeconds": int(_RUN.total_seconds()),
        "tolerations": _TOLERATIONS,
        "containers": [container],
        "volumes": store.volumes(settings),
    }
    if secrets := settings.pull_secrets_with(()):
        spec["imagePullSecrets"] = secrets
    if settings.user_namespaces:
        spec["hostUsers"] = False
    metadata = {"name": name, "namespace": namespace, "labels": {LABEL_MANAGED_BY: MANAGED_BY}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
