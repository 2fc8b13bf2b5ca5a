"""What a job's template may not mount, taken out of it: the launcher's guards hold for jobs of any age."""

import posixpath
from collections.abc import Mapping
from typing import Any

from ergosphere.api.container import RESERVED_DIRECTORY, RESERVED_PREFIX


def unreserved(pod_spec: Mapping[str, Any]) -> dict[str, Any]:
    """The pod's template without mounts of Ergosphere's volumes, or of any volume in its directory.

    The API server refuses them now, but not in a job that is older than the rule.
    """
    lists = [name for name in ("containers", "initContainers") if name in pod_spec]
    return {**pod_spec, **{name: [_container(c) for c in pod_spec[name]] for name in lists}}


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(container)
    if mounts := container.get("volumeMounts"):
        result["volumeMounts"] = [m for m in mounts if not _reserved(m)]
    return result


def _reserved(mount: Mapping[str, Any]) -> bool:
    # As kubelet and runtime read the path. normpath() alone would keep two slashes at the beginning.
    place = posixpath.normpath("/" + mount["mountPath"].lstrip("/"))
    inside = f"{place}/".startswith(f"{RESERVED_DIRECTORY}/")
    return inside or bool(mount["name"].startswith(RESERVED_PREFIX))
