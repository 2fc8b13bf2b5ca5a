"""The loopback device, silent while a program is restored.

The two ends of a connection within the pod come back one after the other. What the first one has left to send
would be answered with a reset, as nobody has the other's address yet.
"""

from ergosphere.agent.console import run

TABLE = "ergosphere_restore"

_FORGOTTEN = f"add table inet {TABLE}\ndelete table inet {TABLE}\n"
# CRIU brings back connections that are half closed by packets of its own. It also tries out how the kernel
# connects, which takes packets with SYN; a restored connection sends none.
_CRIU_MARK = 0xC114
_RULE = f'oifname "lo" meta mark != {_CRIU_MARK:#x} tcp flags & syn == 0 drop;'


async def silence() -> None:
    """Drop what established connections send over it. Repeating it changes nothing. Raises NetworkFailed."""
    chain = f"chain leaving {{ type filter hook output priority -300; {_RULE} }}\n"
    await run("nft", "-f", "-", feed=f"{_FORGOTTEN}table inet {TABLE} {{\n{chain}}}\n")


async def let_pass() -> None:
    """Let its packets pass, whether they did or not. Raises NetworkFailed."""
    await run("nft", "-f", "-", feed=_FORGOTTEN)
