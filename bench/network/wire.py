"""Two pods' network namespaces on one bridge, as a CNI plugin makes them on a node."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

ADDRESSES = ("10.88.0.1", "10.88.0.2")


@dataclass(frozen=True)
class Pod:
    """A namespace, held by a process, and its address on the pod network."""

    holder: int
    address: str

    def command(self, *module: str) -> list[str]:
        """A command that runs a Python module in the pod's network."""
        return ["nsenter", "-t", str(self.holder), "--net", "--", sys.executable, "-m", *module]


@contextmanager
def wired() -> Iterator[tuple[Pod, Pod]]:
    """Two pods on a wire. Raises PermissionError for anybody but root."""
    if os.getuid() != 0:
        raise PermissionError("network namespaces are made by root alone")
    with ExitStack() as stack:
        hub, *holders = (stack.enter_context(_namespace()) for _ in range(3))
        _ip(hub, "link add br0 type bridge", "link set br0 up")
        for number, (holder, address) in enumerate(zip(holders, ADDRESSES, strict=True)):
            _ip(hub, f"link add pod{number} type veth peer name eth0 netns {holder}")
            _ip(hub, f"link set pod{number} master br0 up")
            _ip(holder, f"address add {address}/24 dev eth0", "link set eth0 up", "link set lo up")
        first, second = (Pod(holder, address) for holder, address in zip(holders, ADDRESSES, strict=True))
        yield first, second


@contextmanager
def _namespace() -> Iterator[int]:
    """A new network namespace; the process that holds it."""
    # It says when it is there: until then its number names the namespace of the caller.
    command = ["unshare", "--net", "--kill-child", "sh", "-c", "echo here; exec sleep infinity"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            if holder.stdout is None or not holder.stdout.readline():
                raise OSError("unshare made no network namespace")
            yield holder.pid
        finally:
            holder.kill()


def _ip(holder: int, *commands: str) -> None:
    enter = ["nsenter", "-t", str(holder), "--net", "--", "ip", "-batch", "-"]
    subprocess.run(enter, input="\n".join(commands) + "\n", text=True, check=True)
