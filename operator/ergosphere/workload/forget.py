"""The pod that deletes a checkpoint's data from the store."""

from typing import Any

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import API_VERSION

from .errand import errand_pod
from .settings import PodSettings


def forget_pod_name(checkpoint: Checkpoint, attempt: int) -> str:
    """The pod's name, by the object's uid: a namesake's data is another's."""
    return f"ergosphere-forget-{checkpoint.uid}-{attempt}"


def forget_pod(checkpoint: Checkpoint, attempt: int, settings: PodSettings) -> dict[str, Any]:
    """A pod that deletes the data of one checkpoint, and goes with the checkpoint's object."""
    name = forget_pod_name(checkpoint, attempt)
    pod = errand_pod(name, checkpoint.namespace, ["forget", checkpoint.status.id], settings)
    owner = {"apiVersion": API_VERSION, "kind": "Checkpoint", "name": checkpoint.name, "uid": checkpoint.uid}
    pod["metadata"]["ownerReferences"] = [owner]
    return pod
