"""The addresses of pods that a program has left: its sockets are still bound to them.

CRIU can bind a socket only to an address that is there, so those of earlier pods are put on the loopback
device before a restore. What they connect to was never part of the job: such connections are cut as soon as
the program runs, and it sees what any program sees whose network has failed. Connections within the pod live.
"""

import ipaddress
import json
import logging
from collections.abc import Sequence
from typing import Any

from ergosphere.agent.console import run
from ergosphere.agent.errors import NetworkFailed
from ergosphere.agent.namesake import namesake_script
from ergosphere.agent.network import DEVICE, LOOPBACK

TABLE = "ergosphere_departed"

_FAMILY = {4: "ip", 6: "ip6"}

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

log = logging.getLogger(__name__)


class Departed:
    """The addresses that come and go with a program, in this network namespace. Raises NetworkFailed."""

    async def present(self) -> tuple[str, ...]:
        """Every address that a socket of the program may be bound to, but for the job network's."""
        links = await _links()
        return tuple(a for link in links if link["ifname"] != DEVICE for a in _addresses(link))

    async def adopt(self, addresses: Sequence[str]) -> None:
        """Take these in, and refuse whatever would leave the pod from them. Repeating it changes nothing."""
        links = await _links()
        if strange := foreign(addresses, links):
            await run("nft", "-f", "-", feed=refusal_script(strange))
            await _hear_namesakes(strange, carriers(links))
            await run("ip", "-batch", "-", feed=adoption_script(strange))

    async def sever(self, addresses: Sequence[str]) -> None:
        """End the connections from these to anywhere outside of the pod.

        A kernel without SOCK_DESTROY leaves them; each is then reset when the program next sends on it.
        """
        if strange := foreign(addresses, await _links()):
            chosen = severance_filter(strange)
            await run("ss", "--kill", "--no-header", "--tcp", "--numeric", "state", "connected", chosen)


async def _hear_namesakes(addresses: Sequence[IPAddress], devices: Sequence[str]) -> None:
    """Not all kernels can. A pod that is given such an address is too rare to keep the job from going on."""
    try:
        await run("nft", "-f", "-", feed=namesake_script(addresses, devices))
    except NetworkFailed as error:
        log.warning(
            "pods that are given these addresses are not heard", extra={"fields": {"error": str(error)}}
        )


async def _links() -> list[Any]:
    links: list[Any] = json.loads(await run("ip", "-json", "address", "show"))
    return links


def _addresses(link: Any) -> list[str]:
    return [address["local"] for address in link["addr_info"] if address["scope"] == "global"]


def carriers(links: Sequence[Any]) -> list[str]:
    """The devices by which the pod reaches others outside of its job."""
    others = (link for link in links if link["ifname"] not in (LOOPBACK, DEVICE))
    return [link["ifname"] for link in others if _addresses(link)]


def foreign(addresses: Sequence[str], links: Sequence[Any]) -> list[IPAddress]:
    """Those that no device but the loopback has. A pod may be given an address that an earlier one had."""
    own = {a for link in links if link["ifname"] != LOOPBACK for a in _addresses(link)}
    return sorted({ipaddress.ip_address(a) for a in addresses if a not in own}, key=lambda a: (a.version, a))


def adoption_script(strange: Sequence[IPAddress]) -> str:
    """The `ip -batch` input that puts addresses on the loopback device."""
    return "".join(f"address replace {a}/{a.max_prefixlen} dev {LOOPBACK}\n" for a in strange)


def refusal_script(strange: Sequence[IPAddress]) -> str:
    """The `nft -f` input that turns away what would leave the pod from these addresses."""
    rules = "".join(
        f"{_FAMILY[a.version]} saddr {a} oifname != {LOOPBACK} meta l4proto tcp reject with tcp reset\n"
        f"{_FAMILY[a.version]} saddr {a} oifname != {LOOPBACK} reject\n"
        for a in strange
    )
    chain = f"chain leaving {{ type filter hook output priority 0;\n{rules}}}\n"
    return f"add table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n{chain}}}\n"


def severance_filter(strange: Sequence[IPAddress]) -> str:
    """The `ss` expression for connections from these addresses to others."""
    sources = " or ".join(f"src {a}" for a in strange)
    targets = " or ".join(f"dst {a}" for a in strange)
    return f"( {sources} ) and not ( {targets} )"
