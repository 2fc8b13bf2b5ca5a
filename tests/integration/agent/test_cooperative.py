"""Gangs that save their own state: they agree on where to stop, and return in another number."""

import asyncio
from contextlib import AsyncExitStack

from tests.integration.agent.gangs import Gangs
from tests.integration.agent.test_gang import all_see, all_tell, cut, go, reached
from tests.integration.agent.workers import Worker

from ergosphere.api.agent import Abort, CutStep, Dump, Failure, Lock, Phase

# Each step is a round of all ranks over TCP, and says whether one of them was asked to save: so all stop
# after the same step, some before their own signal has come. Rank 0 saves the step, each rank its own name.
TRAIN = """
import os, signal, socket, sys, time
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD"])
asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
begin = 0
if state := os.environ.get("ERGOSPHERE_CHECKPOINT"):
    begin = int(open(state + "/step").read())
    print("saved by", *sorted(n for n in os.listdir(state) if n != "step"), flush=True)
if rank == 0:
    server = socket.create_server(("", 29500))
    peers = [server.accept()[0] for _ in range(world - 1)]
else:
    while True:
        try:
            peers = [socket.create_connection(("10.99.0.1", 29500))]
            break
        except OSError:
            time.sleep(0.01)
for step in range(begin, 10**9):
    if rank == 0:
        words = [peer.recv(1) for peer in peers]
        word = max([b"1" if asked else b"0", *words])
        for peer in peers:
            peer.sendall(word)
    else:
        peers[0].sendall(b"1" if asked else b"0")
        word = peers[0].recv(1)
    if word not in (b"0", b"1"):
        sys.exit("a peer is gone")
    if word == b"1":
        open("/var/state/" + str(rank), "w").close()
        if rank == 0:
            open("/var/state/step", "w").write(str(step))
        sys.exit(0)
    print(step, flush=True)
    time.sleep(0.002)
"""
SAVES = ("--save-in", "/var/state", "--save-within", "30")


async def steps(gang: list[Worker], more: int = 20) -> None:
    """Return once every rank has taken that many more steps."""
    for worker in gang:
        wanted = len(worker.pod.lines()) + more
        async with asyncio.timeout(60):
            while len(worker.pod.lines()) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # a file tells nobody that it has grown


def taken(gang: list[Worker], rank: int) -> list[int]:
    return [int(line) for line in gang[rank].pod.lines() if line.isdecimal()]


def test_a_gang_saves_together_and_goes_on_with_more_and_with_fewer_workers(binaries, home, wire):
    gangs = Gangs(home, binaries, wire, 2, TRAIN, SAVES, ERGO_MODE="Cooperative")

    async def scenario() -> None:
        done: list[int] = []
        restore, saved = "", ""
        for number, world in enumerate((2, 3, 1, 2)):
            async with AsyncExitStack() as stack:
                gang = await gangs.place(stack, restore, world)
                await go(gang, Phase.RESTORED if restore else Phase.WAITING)
                await steps(gang)
                await cut(gang, f"cut-{number}", leave=True)
                if restore:
                    assert {worker.pod.lines()[0] for worker in gang} == {f"saved by {saved}"}
                done += taken(gang, 0)
                restore, saved = f"ns/job/cut-{number}", "0 1 2" if number else "0 1"
        assert done == list(range(len(done)))

    wire.run(scenario)


def test_a_gang_whose_cut_comes_to_nothing_after_it_has_saved_ends(binaries, home, wire):
    gangs = Gangs(home, binaries, wire, 2, TRAIN, SAVES, ERGO_MODE="Cooperative")

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            gang = await gangs.place(stack)
            await go(gang, Phase.WAITING)
            await steps(gang)
            await all_tell(gang, Lock(cut="c", lease_seconds=60))
            await all_see(gang, reached(CutStep.LOCKED))
            await all_tell(gang, Dump(cut="c"))
            await all_see(gang, reached(CutStep.DUMPED))
            await all_tell(gang, Abort(cut="c", failure=Failure(reason="Because", message="It must.")))
            await all_see(gang, lambda r: r.phase is Phase.EXITED and r.cut.step is CutStep.ABORTED)
            for worker in gang:
                assert (worker.pod.wait(), worker.pod.termination.read_text()) == (0, '{"left":"c"}\n')

    wire.run(scenario)
