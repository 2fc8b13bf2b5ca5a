"""The bridge on this machine that joins a cluster's machines, and the host's routes to its pods."""

import json
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Network

from cluster.embedded.addresses import MAX_CLUSTERS, Addresses
from cluster.provider import ClusterError


def _ip(commands: Sequence[str], force: bool = False) -> None:
    argv = ["ip", *(["-force"] if force else []), "-batch", "-"]
    result = subprocess.run(argv, input="\n".join(commands), text=True, capture_output=True)
    if result.returncode != 0 and not force:
        raise ClusterError(f"configuring the network failed: {result.stderr.strip()}")


def routed_networks() -> list[IPv4Network]:
    """List the networks that this machine routes to."""
    output = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, text=True, check=True).stdout
    routes = [route["dst"] for route in json.loads(output or "[]")]
    return [IPv4Network(route, strict=False) for route in routes if route != "default"]


def make(addresses: Addresses, nodes: int) -> None:
    """Make the bridge with this machine's address, and a route to each node's pods. Raises ClusterError."""
    _ip(
        [
            f"link add {addresses.bridge} type bridge",
            f"address add {addresses.host}/24 dev {addresses.bridge}",
            f"link set {addresses.bridge} up",
            *(f"route add {route}" for route in addresses.pod_routes(range(1, nodes + 1))),
        ]
    )


def unplug(port: str) -> None:
    """Remove a machine's cable; one that is not there is no error."""
    _ip([f"link delete {port}"], force=True)


def links() -> set[str]:
    """List the network devices of this machine."""
    output = subprocess.run(["ip", "-json", "link"], capture_output=True, text=True, check=True).stdout
    return {link["ifname"] for link in json.loads(output)}


def taken_indices() -> set[int]:
    """List the indices whose bridge exists, whoever made it."""
    present = links()
    return {index for index in range(MAX_CLUSTERS) if Addresses(index).bridge in present}


def remove(addresses: Addresses, ordinals: Sequence[int]) -> None:
    """Remove the cables and the bridge, and with it its routes. Raises ClusterError if any stays."""
    ours = {addresses.bridge, *map(addresses.port, ordinals)}
    _ip([f"link delete {link}" for link in sorted(ours & links(), reverse=True)], force=True)
    if left := ours & links():
        raise ClusterError(f"could not remove the network devices {', '.join(sorted(left))}")
