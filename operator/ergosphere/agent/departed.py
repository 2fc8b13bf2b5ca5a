"""The addresses of pods that a program has left: its sockets are still bound to them.

CRIU can bind a socket only to an address that is there, so those of earlier pods are put on the loopback
device before a restore. What they connect to was never part of the job: such connections are cut as soon as
the program runs, and it sees what any program sees whose network has failed. Connections within the pod live.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any

from ergosphere.agent.console import run
from ergosphere.agent.errors import NetworkFailed
from ergosphere.agent.links import FAMILY, LOOPBACK, IPAddress, addresses, links
from ergosphere.agent.namesake import namesake_script
from ergosphere.agent.network import DEVICE

TABLE = "ergosphere_departed"

log = logging.getLogger(__name__)


class Departed:
    """The addresses that come and go with a program, in this network namespace. Raises NetworkFailed."""

    async def present(self) -> tuple[str, ...]:
        """Every address that a socket of the program may be bound to, but for the job network's."""
        return tuple(a for link in await links() if link["ifname"] != DEVICE for a in addresses(link))

    async def adopt(self, departed: Sequence[str]) -> None:
        """Take these in, and refuse whatever would leave the pod from them. Repeating it changes nothing."""
        present = await links()
        if strange := foreign(departed, present):
            await run("nft", "-f", "-", feed=refusal_script(strange))
            await _hear_namesakes(strange, carriers(present))
            await run("ip", "-batch", "-", feed=adoption_script(strange))

    async def sever(self, departed: Sequence[str]) -> None:
        """End the connections from these to anywhere outside of the pod.

        A kernel without SOCK_DESTROY leaves them; each is then reset when the program next sends on it.
        """
        if strange := foreign(departed, await links()):
            chosen = severance_filter(strange)
            await run("ss", "--kill", "--no-header", "--tcp", "--numeric", "state", "connected", chosen)


async def _hear_namesakes(strange: Sequence[IPAddress], devices: Sequence[str]) -> None:
    """Not all kernels can. A pod that is given such an address is too rare to keep the job from going on."""
    try:
        await run("nft", "-f", "-", feed=namesake_script(strange, devices))
    except NetworkFailed as error:
        log.warning(
            "pods that are given these addresses are not heard", extra={"fields": {"error": str(error)}}
        )


def carriers(present: Sequence[Any]) -> list[str]:
    """The devices by which the pod reaches others outside of its job."""
    others = (link for link in present if link["ifname"] not in (LOOPBACK, DEVICE))
    return [link["ifname"] for link in others if addresses(link)]


def foreign(departed: Sequence[str], present: Sequence[Any]) -> list[IPAddress]:
    """Those that no device but the loopback has. A pod may be given an address that an earlier one had."""
    own = {a for link in present if link["ifname"] != LOOPBACK for a in addresses(link)}
    return sorted({ipaddress.ip_address(a) for a in departed if a not in own}, key=lambda a: (a.version, a))


def adoption_script(strange: Sequence[IPAddress]) -> str:
    """The `ip -batch` input that puts addresses on the loopback device."""
    return "".join(f"address replace {a}/{a.max_prefixlen} dev {LOOPBACK}\n" for a in strange)


def refusal_script(strange: Sequence[IPAddress]) -> str:
    """The `nft -f` input that turns away what would leave the pod from these addresses."""
    rules = "".join(
        f"{FAMILY[a.version]} saddr {a} oifname != {LOOPBACK} meta l4proto tcp reject with tcp reset\n"
        f"{FAMILY[a.version]} saddr {a} oifname != {LOOPBACK} reject\n"
        for a in strange
    )
    chain = f"chain leaving {{ type filter hook output priority 0;\n{rules}}}\n"
    return f"add table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n{chain}}}\n"


def severance_filter(strange: Sequence[IPAddress]) -> str:
    """The `ss` expression for connections from these addresses to others."""
    sources = " or ".join(f"src {a}" for a in strange)
    targets = " or ".join(f"dst {a}" for a in strange)
    return f"( {sources} ) and not ( {targets} )"
