"""The job network: a VXLAN device in the pod, where each rank has one address for the job's life.

Everything is static: hardware addresses follow from rank addresses, neighbours and forwarding entries are
set by `open`, nothing is learned. The lock is an nftables table of its own.
"""

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ergosphere.agent.console import run
from ergosphere.agent.errors import NetworkFailed
from ergosphere.agent.links import LOOPBACK, IPAddress, links
from ergosphere.agent.links import addresses as addresses_of
from ergosphere.agent.namesake import stand_ins
from ergosphere.agent.settings import Settings

DEVICE = "ergo0"
VXLAN_PORT = 4790
OVERHEAD_BYTES = {4: 50, 6: 70}
"""What VXLAN adds to a packet: outer IP, UDP, VXLAN and inner Ethernet headers."""

TABLE = "ergosphere_lock"
_CHAINS = {"arriving": ("prerouting", "iifname"), "leaving": ("output", "oifname")}


class Network(Protocol):
    """What an agent does with the network of its job."""

    async def up(self) -> bool:
        """Make the device, locked, unless it exists; whether it is locked now."""

    async def lock(self) -> None:
        """Drop all its packets."""

    async def unlock(self) -> None:
        """Let its packets pass."""

    async def open(self, peers: dict[int, str]) -> None:
        """Make the ranks reachable in their pods, and unlock."""


class NoNetwork:
    """The network of a job with one worker."""

    async def up(self) -> bool:
        """There is nothing to make or to lock."""
        return False

    async def lock(self) -> None:
        """There is nobody to hear from."""

    async def unlock(self) -> None:
        """There is nobody to hear from."""

    async def open(self, peers: dict[int, str]) -> None:
        """There is nobody to reach."""


@dataclass(frozen=True)
class Addresses:
    """The addresses of a job's ranks."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network

    def of(self, rank: int) -> IPAddress:
        """Rank 0 has the first host address."""
        return self.network.network_address + 1 + rank

    def hardware(self, rank: int) -> str:
        """A locally administered unicast address that no other rank of the job has."""
        return ":".join(f"{byte:02x}" for byte in b"\x02\xee" + self.of(rank).packed[-4:])


def device_script(addresses: Addresses, rank: int, identifier: int, pod_ip: str, under: str, mtu: int) -> str:
    """The `ip -batch` input that makes the device. `under` carries its packets and has MTU `mtu`."""
    inner = mtu - OVERHEAD_BYTES[ipaddress.ip_address(pod_ip).version]
    own = f"{addresses.of(rank)}/{addresses.network.prefixlen}"
    return (
        f"link add {DEVICE} address {addresses.hardware(rank)} mtu {inner} type vxlan id {identifier} "
        f"dstport {VXLAN_PORT} local {pod_ip} dev {under} nolearning\n"
        f"address add {own} dev {DEVICE} nodad\n"
        f"link set {DEVICE} up\n"
    )


def peer_scripts(
    addresses: Addresses, rank: int, peers: dict[int, str], held: Iterable[IPAddress] = ()
) -> tuple[str, str]:
    """The `ip -batch` and `bridge -batch` inputs that say where the other ranks are.

    `held` are addresses of earlier pods that this pod takes for its own: one may be a peer's by now.
    """
    known = stand_ins(held)
    others = sorted((other, ipaddress.ip_address(pod)) for other, pod in peers.items() if other != rank)
    neighbours, forwarding = "", ""
    for other, pod in others:
        address, hardware = addresses.of(other), addresses.hardware(other)
        neighbours += f"neighbour replace {address} lladdr {hardware} dev {DEVICE} nud permanent\n"
        forwarding += f"fdb replace {hardware} dev {DEVICE} dst {known.get(pod, pod)} self permanent\n"
    return neighbours, forwarding


def lock_script() -> str:
    """The `nft -f` input that makes the lock, in one transaction, whether it is there or not."""
    chains = "".join(
        f"chain {name} {{ type filter hook {hook} priority -300; {match} {DEVICE} drop; }}\n"
        for name, (hook, match) in _CHAINS.items()
    )
    return f"add table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n{chains}}}\n"


def is_locked(listing: Any) -> bool:
    """Whether `nft --json list ruleset` shows both rules of the lock."""
    rules = [item["rule"] for item in listing["nftables"] if "rule" in item]
    found = {(rule["chain"], _dropped(rule["expr"])) for rule in rules if rule["table"] == TABLE}
    return found == {(name, f"{match} {DEVICE}") for name, (_, match) in _CHAINS.items()}


def _dropped(expression: list[Any]) -> str:
    match expression:
        case [{"match": {"op": "==", "left": {"meta": {"key": key}}, "right": device}}, {"drop": None}]:
            return f"{key} {device}"
    return ""


class JobNetwork:
    """The device and the lock, made with `ip`, `bridge` and `nft` in this network namespace."""

    def __init__(self, settings: Settings) -> None:
        assert settings.network_cidr is not None
        assert settings.network_id is not None
        self._addresses = Addresses(settings.network_cidr)
        self._identifier = settings.network_id
        self._rank = settings.rank
        self._pod_ip = settings.pod_ip

    async def up(self) -> bool:
        """Make the device, locked, unless it exists; whether it is locked now. Raises NetworkFailed."""
        present = await links()
        if any(link["ifname"] == DEVICE for link in present):
            return await self._is_locked()
        under, mtu = _carrier(present, self._pod_ip)
        await self.lock()
        script = device_script(self._addresses, self._rank, self._identifier, self._pod_ip, under, mtu)
        await run("ip", "-batch", "-", feed=script)
        return True

    async def lock(self) -> None:
        """Drop all packets of the device. Raises NetworkFailed also when the rules do not read back."""
        await run("nft", "-f", "-", feed=lock_script())
        if not await self._is_locked():
            raise NetworkFailed("the kernel does not show the lock that was set")

    async def unlock(self) -> None:
        """Let the device's packets pass. Raises NetworkFailed."""
        await run("nft", "-f", "-", feed=f"add table inet {TABLE}\ndelete table inet {TABLE}\n")

    async def open(self, peers: dict[int, str]) -> None:
        """Set where every rank is, then unlock. Raises NetworkFailed."""
        held = adopted(await links())
        neighbours, forwarding = peer_scripts(self._addresses, self._rank, peers, held)
        await run("ip", "-batch", "-", feed=neighbours)
        await run("bridge", "-batch", "-", feed=forwarding)
        await self.unlock()

    async def _is_locked(self) -> bool:
        return is_locked(json.loads(await run("nft", "--json", "list", "ruleset")))


def adopted(present: Sequence[Any]) -> list[IPAddress]:
    """The addresses of earlier pods that the loopback device has."""
    here = (a for link in present if link["ifname"] == LOOPBACK for a in addresses_of(link))
    return [ipaddress.ip_address(a) for a in here]


def _carrier(present: list[Any], pod_ip: str) -> tuple[str, int]:
    wanted = ipaddress.ip_address(pod_ip)
    for link in present:
        for address in link["addr_info"]:
            if ipaddress.ip_address(address["local"]) == wanted:
                return link["ifname"], link["mtu"]
    raise NetworkFailed(f"no device of this pod has its address {pod_ip}")
