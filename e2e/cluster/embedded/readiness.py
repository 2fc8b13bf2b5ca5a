"""Knowing when nodes can be used."""

import time
from collections.abc import Sequence
from typing import Any

from cluster.embedded.api import Api
from cluster.embedded.devices import RESOURCE
from cluster.embedded.record import CONTROL, Record
from cluster.embedded.supervisor import answers
from cluster.progress import step
from cluster.provider import ClusterError

DEADLINE_SECONDS = 180.0
POLL_SECONDS = 0.2


def _api(made: Record) -> Api:
    return Api(made.addresses.server, made.machine_directory(CONTROL) / "etc")


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


def await_server(made: Record) -> None:
    """Return when the API server is ready. Raises ClusterError after three minutes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    authority = made.machine_directory(CONTROL) / "etc" / "ca.crt"
    with step("waiting for the API server"):
        while not answers(f"{made.addresses.server}/readyz", str(authority)):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the API server did not become ready; see {made.machine_directory(CONTROL)}"
                )
            time.sleep(POLL_SECONDS)


def last_report(made: Record, node: str) -> str:
    """Read the time of the last report of a node's kubelet."""
    return heartbeat(_status(_api(made), node))


def await_nodes(made: Record, names: Sequence[str], reported: str = "") -> None:
    """Return when the nodes are usable. Raises ClusterError naming those that are not after three minutes.

    A report of the time `reported` does not count: the node is known to have been down since.
    """
    api = _api(made)
    gpus = {node.name: node.gpus for node in made.nodes}
    deadline = time.monotonic() + DEADLINE_SECONDS
    waiting = list(names)
    with step(f"waiting for {', '.join(names)} to be Ready"):
        while waiting := [name for name in waiting if not usable(_status(api, name), gpus[name], reported)]:
            if time.monotonic() > deadline:
                logs = made.directory / "machines"
                raise ClusterError(f"{', '.join(waiting)} did not become Ready; see the logs in {logs}")
            time.sleep(POLL_SECONDS)
