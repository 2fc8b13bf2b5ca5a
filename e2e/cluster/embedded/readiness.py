"""Knowing when the machines of a cluster can be used."""

import time
from collections.abc import Sequence

from cluster import readiness
from cluster.api import Api
from cluster.embedded.record import CONTROL, Record
from cluster.embedded.supervisor import answers
from cluster.progress import step
from cluster.provider import ClusterError


def _api(made: Record) -> Api:
    return Api(made.addresses.server, made.machine_directory(CONTROL) / "etc")


def await_server(made: Record) -> None:
    """Return when the API server is ready. Raises ClusterError after three minutes."""
    deadline = time.monotonic() + readiness.DEADLINE_SECONDS
    authority = made.machine_directory(CONTROL) / "etc" / "ca.crt"
    with step("waiting for the API server"):
        while not answers(f"{made.addresses.server}/readyz", str(authority)):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the API server did not become ready; see {made.machine_directory(CONTROL)}"
                )
            time.sleep(readiness.POLL_SECONDS)


def last_report(made: Record, node: str) -> str:
    """Read the time of the last report of a node's kubelet."""
    return readiness.last_report(_api(made), node)


def await_nodes(made: Record, names: Sequence[str], reported: str = "") -> None:
    """Return when the nodes are usable, as `cluster.readiness.await_usable` says."""
    gpus = {node.name: node.gpus for node in made.nodes if node.name in names}
    readiness.await_usable(_api(made), gpus, f"see the logs in {made.directory / 'machines'}", reported)
