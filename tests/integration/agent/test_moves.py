"""A program moved by agents, with the launcher, CRIU, TLS and store that a cluster has."""

import asyncio
import random
from pathlib import Path

import pytest
from tests.integration.agent.operating import cut_to, has_reached, run
from tests.integration.agent.workers import Worker, Workers

from ergosphere.api.agent import Command, Commit, CutStep, Dump, Go, Leave, Lock, Phase, Release, Renew, Store

AS_ROOT: tuple[str, ...] = ()
AS_USER = ("--user", "1000:1000")


async def lines_of(pod, more: int) -> list[str]:
    """What the program has written here, once it is that many lines more than now."""
    wanted = len(pod.lines()) + more
    async with asyncio.timeout(60):
        while len(pod.lines()) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # a file tells nobody that it has grown
    return pod.lines()[:-1]


def assert_counted(lines: list[str]) -> None:
    assert lines == [str(number) for number in range(len(lines))]


async def leave(worker, cut: str) -> list[str]:
    """Cut and go; all that the program has written here."""
    await cut_to(worker.operator, CutStep.COMMITTED, cut)
    await worker.operator.tell(Leave(cut=cut))
    await worker.operator.see(lambda r: r.phase is Phase.LEFT)
    assert await asyncio.to_thread(worker.pod.wait) == 0
    assert await worker.agent.terminate() == 0
    return worker.pod.lines()


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
async def test_a_program_that_moves_twice_loses_and_repeats_nothing(workers: Workers, options):
    async with workers.worker(options=options) as first:
        await run(first.operator)
        await lines_of(first.pod, 50)
        lines = await leave(first, "c1")
    async with workers.worker(restore="ns/job/c1", options=options) as second:
        await second.operator.see(lambda r: r.phase is Phase.RESTORED)
        await second.operator.tell(Go())
        await lines_of(second.pod, 50)
        lines += await leave(second, "c2")
    async with workers.worker(restore="ns/job/c2", options=options) as third:
        report = await third.operator.see(lambda r: r.phase is Phase.RESTORED)
        assert set(report.restore_ms) == {"fetch", "files", "restore"}
        await third.operator.tell(Go())
        lines += await lines_of(third.pod, 50)
    assert_counted(lines)


# The kernel doubles it.
MOST_BYTES = int(Path("/proc/sys/net/core/rmem_max").read_text())
# A busy connection's buffer grows by itself beyond what a process may ask for. A watermark does the same.
LONG_QUEUES = """
import fcntl, itertools, random, socket, struct, time
server = socket.create_server(("127.0.0.1", 0))
sender = socket.create_connection(server.getsockname())
receiver, _ = server.accept()
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2**31 - 1)
sender.setblocking(False)
told = heard = random.Random(0).randbytes(1 << 20)
def queued():
    return struct.unpack("i", fcntl.ioctl(receiver, 0x541B, bytes(4)))[0]  # FIONREAD
def fill():
    global told
    while True:
        try:
            sent = sender.send(told)
        except BlockingIOError:
            return
        told = told[sent:] + told[:sent]
while queued() <= MOST_TO_ASK_FOR:
    fill()
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
for n in itertools.count():
    assert receiver.recv(1000, socket.MSG_WAITALL) == heard[:1000]
    heard = heard[1000:] + heard[:1000]
    fill()
    print(n, flush=True)
    time.sleep(0.01)
"""


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
async def test_a_connection_with_much_to_send_and_much_unread(workers: Workers, options):
    program = f"MOST_TO_ASK_FOR = {2 * MOST_BYTES}\n{LONG_QUEUES}"
    async with workers.worker(program=program, options=options) as first:
        await run(first.operator)
        await lines_of(first.pod, 50)
        lines = await leave(first, "c1")
    async with workers.worker(restore="ns/job/c1", options=options) as second:
        await second.operator.see(lambda r: r.phase is Phase.RESTORED)
        await second.operator.tell(Go())
        lines += await lines_of(second.pod, 50)
    assert_counted(lines)


async def test_cuts_that_stay_lose_nothing_and_each_can_be_restored(workers: Workers):
    async with workers.worker() as here:
        await run(here.operator)
        for cut in ("c1", "c2"):
            await lines_of(here.pod, 20)
            await cut_to(here.operator, CutStep.DUMPED, cut)
            frozen_at = len(here.pod.lines())
            await here.operator.tell(Release(cut=cut))
            await here.operator.see(lambda r: r.cut.released)
            await cut_to(here.operator, CutStep.COMMITTED, cut)
        assert_counted(await lines_of(here.pod, 20))
        assert len(here.pod.lines()) > frozen_at
    async with workers.worker(restore="ns/job/c1") as there:
        await there.operator.see(lambda r: r.phase is Phase.RESTORED)
        await there.operator.tell(Go())
        lines = [int(line) for line in await lines_of(there.pod, 20)]
        assert lines == list(range(lines[0], lines[0] + len(lines)))
        assert lines[0] < frozen_at


async def test_a_lease_that_nobody_renews_ends_in_a_running_program(workers: Workers):
    async with workers.worker() as here:
        await run(here.operator)
        await cut_to(here.operator, CutStep.DUMPED, lease=1.0)
        await here.operator.tell(Renew(cut="c1", lease_seconds=1.0))
        report = await here.operator.see(lambda r: r.cut.step is CutStep.ABORTED)
        assert (report.phase, report.cut.failure.reason) == (Phase.RUNNING, "LeaseExpired")
        assert_counted(await lines_of(here.pod, 20))


async def test_the_launcher_keeps_the_lease_of_an_agent_that_died(workers: Workers):
    async with workers.worker() as here:
        await run(here.operator)
        await cut_to(here.operator, CutStep.DUMPED, lease=1.0)
        await here.agent.kill()
        assert_counted(await lines_of(here.pod, 20))
        here.operator.forget()
        await here.agent.start()
        report = await here.operator.see(lambda r: r.cut.step is CutStep.ABORTED)
        assert (report.phase, report.cut.failure.reason) == (Phase.RUNNING, "LeaseExpired")


def damage_largest_file(directory: Path) -> None:
    largest = max(
        (path for path in directory.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)


async def test_a_damaged_checkpoint_is_refused_before_any_process_starts(workers: Workers):
    async with workers.worker() as first:
        await run(first.operator)
        await leave(first, "c1")
    packs = sorted(
        (path for path in workers.store.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size
    )
    damaged = bytearray(packs[-1].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    packs[-1].write_bytes(damaged)
    async with workers.worker(restore="ns/job/c1") as second:
        report = await second.operator.see(lambda r: r.phase is Phase.FAILED)
        assert report.failure.reason == "CheckpointCorrupt"
        assert second.pod.lines() == []


async def test_the_program_s_end_is_reported(workers: Workers):
    async with workers.worker(program="raise SystemExit(3)") as here:
        await here.operator.see(lambda r: r.phase is Phase.WAITING)
        await here.operator.tell(Go())
        report = await here.operator.see(lambda r: r.phase is Phase.EXITED)
        assert report.exit.code == 3
        assert await asyncio.to_thread(here.pod.wait) == 3


def at_least(step: CutStep):
    return lambda report: report.cut is not None and has_reached(report.cut, step)


EARLY = (Phase.UNKNOWN, Phase.BOOTING, Phase.FETCHING)


async def insist(here: Worker, command: Command, reached, moments: random.Random) -> None:
    """Give a command, kill the agent a moment later, and repeat the command until it is carried out."""
    await here.operator.see(lambda r: r.phase not in EARLY)
    await here.operator.tell(command)
    await asyncio.sleep(moments.uniform(0, 0.1))  # the moment of the kill, not a wait for anything
    await here.restart_agent()
    while True:
        report = await here.operator.see(lambda r: reached(r) or r.phase not in EARLY)
        if reached(report):
            return
        await here.operator.tell(command)
        await here.operator.see(lambda r, known=here.operator.report.version: reached(r) or r.version > known)


@pytest.mark.parametrize("seed", range(3))
async def test_an_agent_killed_at_any_moment_of_a_move_changes_nothing(workers: Workers, seed: int):
    moments = random.Random(seed)
    lines: list[str] = []
    restore = ""
    for cut in ("c1", "c2"):
        async with workers.worker(restore=restore) as here:
            await insist(here, Go(), lambda r: r.phase is Phase.RUNNING, moments)
            await lines_of(here.pod, 20)
            await insist(here, Lock(cut=cut, lease_seconds=600), at_least(CutStep.LOCKED), moments)
            await insist(here, Dump(cut=cut), at_least(CutStep.DUMPED), moments)
            await insist(here, Store(cut=cut), at_least(CutStep.STORED), moments)
            commit = Commit(cut=cut, digests=[here.operator.report.cut.digest])
            await insist(here, commit, at_least(CutStep.COMMITTED), moments)
            await insist(here, Leave(cut=cut), lambda r: r.phase is Phase.LEFT, moments)
            assert await asyncio.to_thread(here.pod.wait) == 0
            lines += here.pod.lines()
        restore = f"ns/job/{cut}"
    assert_counted(lines)
