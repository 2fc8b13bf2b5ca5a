"""The pod that deletes a checkpoint's data from the store."""

from typing import Any

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import API_VERSION, LABEL_MANAGED_BY, MANAGED_BY

from .settings import PodSettings
from .sidecar import STORE_MOUNT


def forget_pod_name(checkpoint: Checkpoint, attempt: int) -> str:
    """The pod's name, by the object's uid: a namesake's data is another's."""
    return f"ergosphere-forget-{checkpoint.uid}-{attempt}"


def forget_pod(checkpoint: Checkpoint, attempt: int, settings: PodSettings) -> dict[str, Any]:
    """A pod that deletes the data of one checkpoint, and goes with the checkpoint's object."""
    container: dict[str, Any] = {
        "name": "forget",
        "image": settings.agent_image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": ["forget", checkpoint.status.id],
        "env": [{"name": "ERGO_STORE", "value": settings.store_url}],
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}},
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "activeDeadlineSeconds": 600,
        "containers": [container],
    }
    if settings.user_namespaces:
        spec["hostUsers"] = False
    if settings.store_secret:
        container["envFrom"] = [{"secretRef": {"name": settings.store_secret}}]
    if settings.store_volume:
        container["volumeMounts"] = [{"name": "store", "mountPath": STORE_MOUNT}]
        spec["volumes"] = [{"name": "store", **settings.store_volume.source()}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": forget_pod_name(checkpoint, attempt),
            "namespace": checkpoint.namespace,
            "labels": {LABEL_MANAGED_BY: MANAGED_BY},
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": "Checkpoint",
                    "name": checkpoint.name,
                    "uid": checkpoint.uid,
                }
            ],
        },
        "spec": spec,
    }
