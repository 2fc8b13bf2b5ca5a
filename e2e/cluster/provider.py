"""What every way of getting a cluster offers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Condition = Literal["Running", "Paused", "Stopped"]
NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
MAX_NODES = 60


class ClusterError(Exception):
    """A cluster could not do what was asked; the message says what to do about it."""


@dataclass(frozen=True)
class NodeSpec:
    """A node to make: its name, its `topology.kubernetes.io/zone` and the GPUs it declares."""

    name: str
    zone: str = "a"
    gpus: int = 4


@dataclass(frozen=True)
class NodeStatus:
    """A node as the provider sees it, not as the API server believes it to be."""

    name: str
    condition: Condition
    address: str


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster as found: `complete` is false when its creator never finished."""

    name: str
    complete: bool
    nodes: tuple[NodeStatus, ...]


def default_nodes(count: int = 3, gpus: int = 4) -> tuple[NodeSpec, ...]:
    """Nodes node-1, node-2, ... in zones a, a, b, b, c, c and so on."""
    return tuple(
        NodeSpec(f"node-{n}", "abcdefghijklmnopqrstuvwxyz"[(n - 1) // 2 % 26], gpus)
        for n in range(1, count + 1)
    )


def check(name: str, nodes: Sequence[NodeSpec]) -> None:
    """Raise ClusterError unless a cluster can have this name and as many nodes."""
    if not NAME.fullmatch(name):
        raise ClusterError(f"{name!r} cannot name a cluster: 1 to 32 lower-case letters, digits and dashes")
    if not 1 <= len(nodes) <= MAX_NODES:
        raise ClusterError(f"a cluster has 1 to {MAX_NODES} nodes, not {len(nodes)}")


class Provider(Protocol):
    """Makes, changes and removes clusters. Every method raises ClusterError when it cannot.

    Where a node is named, `control` means the machine of the control plane.
    """

    def create(self, name: str, nodes: Sequence[NodeSpec]) -> None:
        """Make the cluster and return once every node is Ready. A complete one is left as it is."""

    def load_image(self, name: str, archive: Path) -> None:
        """Make the images of an OCI or Docker archive available on every running node."""

    def kubeconfig(self, name: str) -> Path:
        """Give the file that lets kubectl administer the cluster."""

    def kubectl(self, name: str) -> Path:
        """Give a kubectl of the cluster's version."""

    def audit_log(self, name: str) -> str:
        """Give what the API server wrote down of the operator's requests: an event a line, oldest first."""

    def status(self, name: str) -> ClusterStatus:
        """Tell what exists of the cluster; raises ClusterError when nothing does."""

    def delete(self, name: str) -> None:
        """Remove the cluster and whatever a crashed creator left of it. Unknown names are no error."""

    def kill_node(self, name: str, node: str) -> None:
        """Take the node's power away: nothing on it runs on, nothing is told."""

    def pause_node(self, name: str, node: str) -> None:
        """Freeze everything on the node, as a hung machine does."""

    def resume_node(self, name: str, node: str) -> None:
        """Undo `pause_node`."""

    def restart_node(self, name: str, node: str) -> None:
        """Power-cycle the node: its disk survives, its processes do not."""
