"""Knowing when nodes can be used."""

import time
from collections.abc import Mapping
from typing import Any

from cluster.api import Api
from cluster.gpus import RESOURCE
from cluster.progress import step
from cluster.provider import ClusterError

DEADLINE_SECONDS = 180.0
POLL_SECONDS = 0.2


def _status(api: Api, node: str) -> dict[str, Any]:
    """Read a node's status; empty while the API server or the node is not there."""
    try:
        return dict(api.get(f"/api/v1/nodes/{node}")["status"])
    except OSError:
        return {}


def _ready_condition(status: dict[str, Any]) -> dict[str, str]:
    return next((item for item in status.get("conditions", []) if item["type"] == "Ready"), {})


def heartbeat(status: dict[str, Any]) -> str:
    """Give the time of the kubelet's last report, as the API server writes it; empty if there was none."""
    return _ready_condition(status).get("lastHeartbeatTime", "")


def usable(status: dict[str, Any], gpus: int, reported: str = "") -> bool:
    """Tell whether a node is Ready and offers its GPUs, by another report than the one of time `reported`."""
    offered = int(status.get("allocatable", {}).get(RESOURCE, 0))
    ready = _ready_condition(status).get("status") == "True"
    return ready and offered == gpus and heartbeat(status) != reported


def last_report(api: Api, node: str) -> str:
    """Read the time of the last report of a node's kubelet."""
    return heartbeat(_status(api, node))


def await_usable(api: Api, gpus: Mapping[str, int], advice: str, reported: str = "") -> None:
    """Return when the nodes named in `gpus` are Ready and offer that many.

    A report of the time `reported` does not count: the node is known to have been down since. Raises
    ClusterError after three minutes, naming the nodes that are not usable and giving the advice.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    waiting = list(gpus)
    with step(f"waiting for {', '.join(gpus)} to be Ready"):
        while waiting := [name for name in waiting if not usable(_status(api, name), gpus[name], reported)]:
            if time.monotonic() > deadline:
                raise ClusterError(f"{', '.join(waiting)} did not become Ready; {advice}")
            time.sleep(POLL_SECONDS)
