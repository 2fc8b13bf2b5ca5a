"""Every address of a cluster follows from its index on this machine."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

MAX_CLUSTERS = 16
FIRST_OCTET = 240


@dataclass(frozen=True)
class Addresses:
    """The networks of the cluster with this index: 10.X.0.0/24 for its machines, 10.X.64.0/18 for pods and
    10.X.128.0/20 for services, with X = 240 + index.
    """

    index: int

    @property
    def _prefix(self) -> str:
        return f"10.{FIRST_OCTET + self.index}"

    @property
    def network(self) -> IPv4Network:
        """Give the network that holds all of the cluster's."""
        return IPv4Network(f"{self._prefix}.0.0/16")

    @property
    def bridge(self) -> str:
        """Name the bridge that joins the machines."""
        return f"ergo{self.index}"

    @property
    def host(self) -> str:
        """Give this machine's own address on the bridge."""
        return f"{self._prefix}.0.1"

    @property
    def control(self) -> str:
        """Give the control plane's address."""
        return f"{self._prefix}.0.2"

    @property
    def server(self) -> str:
        """Give the URL of the API server."""
        return f"https://{self.control}:6443"

    @property
    def pods(self) -> str:
        """Give the network of all pods."""
        return f"{self._prefix}.64.0/18"

    @property
    def services(self) -> str:
        """Give the network of the service addresses."""
        return f"{self._prefix}.128.0/20"

    @property
    def kubernetes_service(self) -> str:
        """Give the service address of the API server."""
        return f"{self._prefix}.128.1"

    def node(self, ordinal: int) -> str:
        """Give the address of the node with this ordinal, counted from 1."""
        return f"{self._prefix}.0.{10 + ordinal}"

    def node_pods(self, ordinal: int) -> str:
        """Give the network of the pods on that node."""
        return f"{self._prefix}.{64 + ordinal}.0/24"

    def port(self, ordinal: int) -> str:
        """Name the host's end of a machine's cable; ordinal 0 is the control plane."""
        return f"{self.bridge}-{ordinal}"

    def pod_routes(self, nodes: Iterable[int]) -> list[str]:
        """Give the `ip route` arguments that reach the pods of these nodes."""
        return [f"{self.node_pods(ordinal)} via {self.node(ordinal)}" for ordinal in nodes]


def free_index(taken: Collection[int], routed: Collection[IPv4Network]) -> int | None:
    """Choose the first index that no cluster has and whose network this machine does not already route to."""
    for index in range(MAX_CLUSTERS):
        network = Addresses(index).network
        if index not in taken and not any(network.overlaps(route) for route in routed if route.prefixlen):
            return index
    return None
