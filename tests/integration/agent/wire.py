"""The pod network of a test: a bridge in a network namespace of its own, and a cable to each pod."""

import asyncio
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Wire:
    """Pods on one link, 10.88.0.0/24; .254 is the operator's."""

    def __init__(self) -> None:
        self._hub = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        while os.readlink(f"/proc/{self._hub.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert self._hub.poll() is None, "unshare ended"
        self._ip(
            self._hub.pid, "link add br0 type bridge", "link set br0 up", "address add 10.88.0.254/24 dev br0"
        )

    def plug(self, pid: int, number: int) -> str:
        """Give the pod whose first process has this pid an eth0; its address."""
        address = f"10.88.0.{number}"
        port = f"pod{number}"
        self._ip(
            self._hub.pid,
            f"link add {port} type veth peer name eth0 netns {pid}",
            f"link set {port} master br0 up",
        )
        self._ip(pid, f"address add {address}/24 dev eth0", "link set eth0 up", "link set lo up")
        self._ip(pid, "route add default via 10.88.0.254")
        return address

    def give(self, address: str) -> None:
        """Give the operator this address too."""
        self._ip(self._hub.pid, f"address add {address}/32 dev br0")

    def socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket on the wire for what `getaddrinfo` found; it stays there whoever uses it."""
        own, there = (os.open(path, os.O_RDONLY) for path in ("/proc/thread-self/ns/net", self._namespace))
        try:
            _enter(there)
            return socket.socket(*address[:3])
        finally:
            _enter(own)
            os.close(own)
            os.close(there)

    def run(self, scenario: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run a coroutine whose sockets are on the wire."""
        errors: list[BaseException] = []
        thread = threading.Thread(target=self._run, args=(scenario, errors))
        thread.start()
        thread.join()
        if errors:
            raise errors[0]

    def _run(self, scenario: Callable[[], Coroutine[None, None, None]], errors: list[BaseException]) -> None:
        namespace = os.open(self._namespace, os.O_RDONLY)
        try:
            _enter(namespace)
            asyncio.run(scenario())
        except BaseException as error:  # carried over to the test's own thread
            errors.append(error)
        finally:
            os.close(namespace)

    def close(self) -> None:
        """Take the bridge away."""
        self._hub.kill()
        self._hub.wait()

    @property
    def _namespace(self) -> str:
        return f"/proc/{self._hub.pid}/ns/net"

    def _ip(self, pid: int, *commands: str) -> None:
        enter = ["nsenter", "-t", str(pid), "-n", "ip", "-batch", "-"]
        subprocess.run(enter, input="\n".join(commands) + "\n", text=True, check=True)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
