"""What is remembered of a pod that is no worker: of a large cluster's pods, most are not."""

from ergosphere.api.meta import GPU_RESOURCE

from .kube import Object

_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "ownerReferences",
)


def foreign(pod: Object) -> Object:
    """The pod with whose it is, how old it is, and which GPUs of which node it has until when; no more."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    return {
        **_only(pod, "apiVersion", "kind"),
        "metadata": _only(pod["metadata"], *_METADATA),
        "spec": {**_only(spec, "nodeName"), "containers": _with_gpus(spec)},
        "status": _only(status, "phase"),
    }


def _with_gpus(spec: Object) -> list[Object]:
    limits = ((c.get("resources") or {}).get("limits") or {} for c in spec.get("containers") or ())
    return [{"resources": {"limits": _only(one, GPU_RESOURCE)}} for one in limits if GPU_RESOURCE in one]


def _only(obj: Object, *names: str) -> Object:
    return {name: obj[name] for name in names if name in obj}
