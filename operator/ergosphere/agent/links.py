"""The network devices of this pod and their addresses, as `ip` tells them."""

import ipaddress
import json
from typing import Any

from ergosphere.agent.console import run

LOOPBACK = "lo"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

FAMILY = {4: "ip", 6: "ip6"}
"""What nftables calls each version."""


async def links() -> list[Any]:
    """All devices. Raises NetworkFailed."""
    found: list[Any] = json.loads(await run("ip", "-json", "address", "show"))
    return found


def addresses(link: Any) -> list[str]:
    """Those by which others may know the pod."""
    return [address["local"] for address in link["addr_info"] if address["scope"] == "global"]
