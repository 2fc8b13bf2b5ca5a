"""Ranks that stream messages of random sizes to each other as fast as they can, and check every byte.

Every pair of ranks has one TCP connection, both ways, for the life of the job. What is sent follows from the
two ranks alone, so a byte that is lost, repeated or changed shows at once: the program prints `WRONG` and
ends with status 70. Every so often a rank prints `heard RANK NUMBER`: that many messages came from there.

It finds its peers by their host names, NAME-RANK.
"""

import argparse
import os
import random
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable

_HEAD = struct.Struct("!QII")
_PORT = 5000
_LARGEST = 1 << 16
_TELL_EVERY = 500
_WRONG = 70


def messages(sender: int, receiver: int) -> random.Random:
    """The source of all that one rank says to another."""
    return random.Random(f"{sender} to {receiver}")


def read(sock: socket.socket, size: int) -> bytes:
    """Exactly that many bytes."""
    data = bytearray()
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionError("the other side hung up")
        data += part
    return bytes(data)


def talk(sock: socket.socket, rank: int, peer: int) -> None:
    """Send for ever."""
    source, number = messages(rank, peer), 0
    while True:
        body = source.randbytes(source.randrange(1, _LARGEST))
        sock.sendall(_HEAD.pack(number, len(body), zlib.crc32(body)) + body)
        number += 1


def listen(sock: socket.socket, rank: int, peer: int) -> None:
    """Receive for ever, and compare."""
    source, number = messages(peer, rank), 0
    while True:
        expected = source.randbytes(source.randrange(1, _LARGEST))
        head = _HEAD.unpack(read(sock, _HEAD.size))
        body = read(sock, head[1])
        if head != (number, len(expected), zlib.crc32(expected)) or body != expected:
            raise ValueError(f"message {number} is not what was sent")
        if number % _TELL_EVERY == 0:
            print(f"heard {peer} {number}", flush=True)
        number += 1


Work = Callable[[socket.socket, int, int], None]


def guarded(work: Work, sock: socket.socket, rank: int, peer: int) -> None:
    """Work in a thread; whatever goes wrong ends the program."""
    try:
        work(sock, rank, peer)
    except BaseException as error:
        print(f"WRONG {work.__name__} {peer}: {error!r}", flush=True)
        os._exit(_WRONG)


def meet(name: str, rank: int, world: int) -> dict[int, socket.socket]:
    """One connection with every other rank: the higher one calls, the lower one is called."""
    server = socket.create_server(("", _PORT), backlog=world)
    found = {}
    for peer in range(rank):
        found[peer] = call(f"{name}-{peer}")
        found[peer].sendall(struct.pack("!I", rank))
    while len(found) < world - 1:
        sock, _ = server.accept()
        found[struct.unpack("!I", read(sock, 4))[0]] = sock
    return found


def call(host: str) -> socket.socket:
    """Connect as soon as the other side listens."""
    while True:
        try:
            return socket.create_connection((host, _PORT))
        except OSError:
            time.sleep(0.05)


def main() -> None:
    """Talk to everybody until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the host names of the ranks without -RANK")
    name = parser.parse_args().name
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    for peer, sock in meet(name, rank, world).items():
        for work in (talk, listen):
            threading.Thread(target=guarded, args=(work, sock, rank, peer)).start()


if __name__ == "__main__":
    main()
