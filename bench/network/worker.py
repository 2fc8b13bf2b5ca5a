"""One worker, in its pod's network: `python -m bench.network.worker RANK SECONDS ROUNDS`.

Rank 0 sends to rank 1 by turns over both networks, and prints each round in gigabits per second as JSON.
"""

import asyncio
import json
import socket
import sys
import time
from ipaddress import IPv4Network
from pathlib import Path

from bench.network.measures import JOB, PLAIN
from bench.network.wire import ADDRESSES
from ergosphere.agent.network import Addresses, JobNetwork
from ergosphere.agent.settings import Settings

_RANGE = IPv4Network("100.64.0.0/16")
_PORT = 5201
_BUFFER = 1 << 20
_WARM_UP_SECONDS = 0.5


def main() -> None:
    """Bring the job network up as an agent does, then send or receive."""
    rank, seconds, rounds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    asyncio.run(_connect(rank))
    if rank == 1:
        _receive(socket.create_server(("", _PORT)))
        return
    targets = {PLAIN: ADDRESSES[1], JOB: str(Addresses(_RANGE).of(1))}
    for target in targets.values():
        _send(target, _WARM_UP_SECONDS)
    for _ in range(rounds):
        print(json.dumps({name: _send(target, seconds) for name, target in targets.items()}), flush=True)


async def _connect(rank: int) -> None:
    settings = Settings(
        job="bench/network",
        job_uid="bench",
        rank=rank,
        world=len(ADDRESSES),
        incarnation=1,
        store="memory://",
        restore="",
        mode="Transparent",
        pod_ip=ADDRESSES[rank],
        node="",
        network_cidr=_RANGE,
        network_id=42,
        root=Path("/ergosphere"),
    )
    network = JobNetwork(settings)
    await network.up()
    await network.open(dict(enumerate(ADDRESSES)))


def _receive(server: socket.socket) -> None:
    """Count what each connection brings, and tell the sender at its end."""
    print("ready", flush=True)
    buffer = bytearray(_BUFFER)
    while True:
        peer, _ = server.accept()
        with peer:
            total = 0
            while size := peer.recv_into(buffer):
                total += size
            peer.sendall(total.to_bytes(8, "big"))


def _send(target: str, seconds: float) -> float:
    """Gigabits per second that arrived there."""
    buffer = bytes(_BUFFER)
    with socket.create_connection((target, _PORT)) as peer:
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            peer.sendall(buffer)
        peer.shutdown(socket.SHUT_WR)
        arrived = int.from_bytes(peer.recv(8, socket.MSG_WAITALL), "big")
        return arrived * 8 / (time.monotonic() - begin) / 1e9


if __name__ == "__main__":
    main()
