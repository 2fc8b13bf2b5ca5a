"""The pod that frees what no checkpoint of a namespace needs any more."""

from typing import Any

from .errand import errand_pod
from .settings import PodSettings

COLLECT_POD = "ergosphere-collect"
"""Its name: there is one at a time in a namespace, and it stays a while to tell when it was."""


def collect_pod(namespace: str, settings: PodSettings) -> dict[str, Any]:
    """A pod that collects garbage of one namespace in the store."""
    return errand_pod(COLLECT_POD, namespace, ["collect", namespace], settings)
