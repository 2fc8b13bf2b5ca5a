"""Resources to test with: valid ones, with what a test is about changed."""

from typing import Any

Object = dict[str, Any]
_API = "ergosphere.dev/v1alpha1"


def jobs(namespace: str) -> str:
    """The path of a namespace's TrainingJobs."""
    return f"/apis/{_API}/namespaces/{namespace}/trainingjobs"


def checkpoints(namespace: str) -> str:
    """The path of a namespace's Checkpoints."""
    return f"/apis/{_API}/namespaces/{namespace}/checkpoints"


def container(name: str = "train", gpus: int | str | None = 1, **fields: Any) -> Object:
    """A container that asks for GPUs."""
    asked = {} if gpus is None else {"resources": {"limits": {"nvidia.com/gpu": gpus}}}
    return {
        "name": name,
        "image": "example.org/train:1",
        "command": ["python3", "train.py"],
        **asked,
        **fields,
    }


def pod(*containers: Object, **fields: Any) -> Object:
    """A pod template."""
    return {"spec": {"containers": list(containers) or [container()], **fields}}


def training_job(template: Object | None = None, *, name: str = "digits", **spec: Any) -> Object:
    """A TrainingJob."""
    spec = {"template": template or pod(), **spec}
    return {"apiVersion": _API, "kind": "TrainingJob", "metadata": {"name": name}, "spec": spec}


def tier(name: str, **spec: Any) -> Object:
    """A ServiceTier."""
    return {"apiVersion": _API, "kind": "ServiceTier", "metadata": {"name": name}, "spec": spec}
