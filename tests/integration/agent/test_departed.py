"""Connections that leave the job end at a move, those within the pod go on."""

import asyncio
from contextlib import AsyncExitStack

from tests.integration.agent.gangs import Gangs
from tests.integration.agent.operating import cut_to, run
from tests.integration.agent.workers import Worker

from ergosphere.api.agent import AGENT_PORT, CutStep, Go, Leave, Phase

PROGRAM = """
import socket, threading, time

def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while True:
            try:
                sock.connect(("10.88.0.254", 9))
                return sock.getsockname()[0]
            except OSError:
                time.sleep(0.01)

def outside():
    while True:
        try:
            with socket.create_connection(("10.88.0.254", 9000)) as sock:
                print("connected from", sock.getsockname()[0], flush=True)
                sock.recv(1)
                print("hung up", flush=True)
        except OSError as error:
            print("lost", type(error).__name__, flush=True)
        time.sleep(0.01)

def answer(server):
    sock, _ = server.accept()
    while True:
        sock.sendall(sock.recv(1))

def inside(address):
    server = socket.create_server((address, 6000))
    threading.Thread(target=answer, args=(server,)).start()
    sock = socket.create_connection((address, 6000))
    for number in range(10**9):
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        print("inside", number, flush=True)
        time.sleep(0.01)

address = own_address()
threading.Thread(target=outside).start()
inside(address)
"""


async def said(worker: Worker, wanted: str, times: int = 1) -> None:
    """Return once the program has written that many lines that begin so."""
    async with asyncio.timeout(60):
        while sum(line.startswith(wanted) for line in worker.pod.lines()) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # a file tells nobody that it has grown


async def leave(worker: Worker, cut: str) -> None:
    await cut_to(worker.operator, CutStep.COMMITTED, cut)
    await worker.operator.tell(Leave(cut=cut))
    await worker.operator.see(lambda r: r.phase is Phase.LEFT)


async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hold a connection until the other side ends it."""
    try:
        await reader.read()
    finally:
        writer.close()


def test_a_connection_to_elsewhere_is_lost_at_each_move_and_made_again(binaries, home, wire):
    gangs = Gangs(home, binaries, wire, 1, PROGRAM)

    async def scenario() -> None:
        elsewhere = await asyncio.start_server(keep, "10.88.0.254", 9000)
        async with elsewhere:
            async with AsyncExitStack() as stack:
                (first,) = await gangs.place(stack)
                await run(first.operator)
                await said(first, f"connected from {first.address}")
                await said(first, "inside", 5)
                await leave(first, "c1")
            for cut in ("c2", "c3"):
                async with AsyncExitStack() as stack:
                    (there,) = await gangs.place(stack, f"ns/job/c{int(cut[1]) - 1}")
                    await there.operator.see(lambda r: r.phase is Phase.RESTORED)
                    await there.operator.tell(Go())
                    await said(there, "lost Connection")
                    await said(there, f"connected from {there.address}")
                    await said(there, "inside", 5)
                    await leave(there, cut)

    wire.run(scenario)


def test_a_pod_that_is_given_an_address_the_program_holds_can_still_be_heard(binaries, home, wire):
    gangs = Gangs(home, binaries, wire, 1, PROGRAM)

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            (first,) = await gangs.place(stack)
            await run(first.operator)
            await said(first, "inside", 5)
            await leave(first, "c1")
        async with AsyncExitStack() as stack:
            (there,) = await gangs.place(stack, "ns/job/c1")
            await there.operator.see(lambda r: r.phase is Phase.RESTORED)
            await there.operator.tell(Go())
            await said(there, "inside", 5)
            wire.give(first.address)
            async with asyncio.timeout(10):
                _, writer = await asyncio.open_connection(
                    there.address, AGENT_PORT, local_addr=(first.address, 0)
                )
            writer.close()
            await said(there, "inside", 10)

    wire.run(scenario)
