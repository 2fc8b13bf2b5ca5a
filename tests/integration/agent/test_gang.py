"""Gangs: several ranks, one consistent cut, and the connections between them."""

import asyncio
from contextlib import AsyncExitStack

from tests.integration.agent.chatter import CHATTER
from tests.integration.agent.gangs import Gangs
from tests.integration.agent.workers import Worker

from ergosphere.api.agent import Commit, CutStep, Dump, Go, Leave, Lock, Phase, Release, Store


async def all_tell(gang: list[Worker], command) -> None:
    refusals = await asyncio.gather(*(worker.operator.tell(command) for worker in gang))
    assert refusals == [None] * len(gang)


async def all_see(gang: list[Worker], wanted) -> None:
    await asyncio.gather(*(worker.operator.see(wanted) for worker in gang))


async def go(gang: list[Worker], phase: Phase) -> None:
    await all_see(gang, lambda r: r.phase is phase)
    peers = {rank: worker.address for rank, worker in enumerate(gang)}
    await all_tell(gang, Go(peers=peers))
    await all_see(gang, lambda r: r.phase is Phase.RUNNING)


def reached(step: CutStep):
    def check(report) -> bool:
        assert report.cut is None or report.cut.failure is None, report.cut
        return report.cut is not None and report.cut.step is step

    return check


async def cut(gang: list[Worker], name: str, *, leave: bool) -> None:
    await all_tell(gang, Lock(cut=name, lease_seconds=60))
    await all_see(gang, reached(CutStep.LOCKED))
    await all_tell(gang, Dump(cut=name))
    await all_see(gang, reached(CutStep.DUMPED))
    if not leave:
        await all_tell(gang, Release(cut=name))
        await all_see(gang, lambda r: r.cut.released)
    await all_tell(gang, Store(cut=name))
    await all_see(gang, reached(CutStep.STORED))
    digests = [worker.operator.report.cut.digest for worker in gang]
    await gang[0].operator.tell(Commit(cut=name, digests=digests))
    await gang[0].operator.see(reached(CutStep.COMMITTED))
    if leave:
        await all_tell(gang, Leave(cut=name))
        await all_see(gang, lambda r: r.phase is Phase.LEFT)


async def progress(gang: list[Worker], more: int = 2) -> None:
    """Return once every rank has heard that much more of every other."""
    for worker in gang:
        lines = worker.pod.lines()
        wanted = len(lines) + more * (len(gang) - 1)
        async with asyncio.timeout(60):
            while len(lines := worker.pod.lines()) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # a file tells nobody that it has grown
        assert not any(line.startswith(("WRONG", "BROKEN")) for line in lines), lines[-3:]


def test_a_streaming_gang_is_cut_while_it_runs_and_moves_without_losing_a_byte(binaries, home, wire):
    gangs = Gangs(home, binaries, wire, 3, CHATTER)

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            gang = await gangs.place(stack)
            await go(gang, Phase.WAITING)
            await progress(gang)
            for number in range(3):
                await cut(gang, f"stay-{number}", leave=False)
                await progress(gang)
            await cut(gang, "leave-1", leave=True)
        for restore, name in (("leave-1", "leave-2"), ("leave-2", "leave-3"), ("stay-1", "leave-4")):
            async with AsyncExitStack() as stack:
                gang = await gangs.place(stack, f"ns/job/{restore}")
                await go(gang, Phase.RESTORED)
                await progress(gang)
                await cut(gang, name, leave=True)

    wire.run(scenario)
