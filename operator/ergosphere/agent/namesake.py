"""Other pods that have been given an address which a socket of this pod's program is bound to.

Since the address is on this pod's loopback device, the kernel takes what such a pod sends for its own gone
astray, and drops it: the operator, say, could never reach the agent again. On its way in, its address is
therefore changed to one that nobody has, and back again on the way out. What the program itself sends to
the address stays in the pod: to the program, it is its own.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from ergosphere.agent.links import FAMILY, IPAddress

TABLE = "ergosphere_namesakes"

# Set aside for tests of network devices (RFC 2544 and RFC 5180): no network carries them.
_UNUSED = {4: ipaddress.ip_network("198.18.0.0/15"), 6: ipaddress.ip_network("2001:2::/48")}


def stand_ins(addresses: Iterable[IPAddress]) -> dict[IPAddress, IPAddress]:
    """By what address whoever has one of these now is known in this pod."""
    ordered = sorted(addresses, key=lambda a: (a.version, a))
    return {a: _UNUSED[a.version][1 + number] for number, a in enumerate(ordered)}


def namesake_script(addresses: Sequence[IPAddress], devices: Sequence[str]) -> str:
    """The `nft -f` input that lets this pod hear, on these devices, whoever has these addresses."""
    known = stand_ins(addresses).items()
    arriving = "".join(_rewrite("saddr", a, b) for a, b in known)
    leaving = "".join(_rewrite("daddr", b, a) for a, b in known)
    chains = _chain("arriving", "ingress", devices, arriving) + _chain("leaving", "egress", devices, leaving)
    return f"add table netdev {TABLE}\ndelete table netdev {TABLE}\ntable netdev {TABLE} {{\n{chains}}}\n"


def _rewrite(field: str, found: IPAddress, wanted: IPAddress) -> str:
    """Neighbours on one link ask each other for their hardware addresses in the same names."""
    family = FAMILY[found.version]
    rule = f"{family} {field} {found} {family} {field} set {wanted}\n"
    return rule if found.version == 6 else rule + f"arp {field} ip {found} arp {field} ip set {wanted}\n"


def _chain(name: str, hook: str, devices: Sequence[str], rules: str) -> str:
    named = ", ".join(f'"{device}"' for device in devices)
    return f"chain {name} {{ type filter hook {hook} devices = {{ {named} }} priority 0;\n{rules}}}\n"
