"""The agent's process with real sockets, TLS and store, and a launcher that the test can hold or break."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.integration.agent.certificates import SERVER_NAME, other_worker_context, stranger_context
from tests.integration.agent.fake_launcher import FakeLauncher
from tests.integration.agent.operating import Operator, cut_to, run
from tests.integration.agent.process import Agent

from ergosphere.api.agent import (
    Abort,
    Commit,
    CutStep,
    Dump,
    Go,
    Leave,
    Lock,
    Phase,
    Release,
    Store,
)


@asynccontextmanager
async def worker(tmp_path: Path, session: aiohttp.ClientSession, number: int = 1, restore: str = ""):
    """An agent, its launcher, and the operator's view of it."""
    root = tmp_path / f"worker-{number}"
    root.mkdir()
    (root / "tls").symlink_to(tmp_path / "tls")
    store = tmp_path / "store"
    store.mkdir(exist_ok=True)
    programs = _without_firewall(tmp_path / "bin")
    agent = Agent(root, f"127.0.76.{number}", ERGO_STORE=store.as_uri(), ERGO_RESTORE=restore, PATH=programs)
    async with FakeLauncher(root / "run" / "launcher.sock") as launcher:
        await agent.start()
        try:
            yield agent, launcher, Operator(session, agent.base)
        finally:
            await agent.end()


def _without_firewall(directory: Path) -> str:
    """A PATH with an `nft` that does nothing: these agents share the network of this machine."""
    nft = directory / "nft"
    if not nft.exists():
        directory.mkdir()
        nft.write_text("#!/bin/sh\nexec cat >/dev/null\n")
        nft.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


async def test_a_program_is_cut_leaves_and_is_restored_elsewhere(tmp_path, session):
    async with worker(tmp_path, session) as (agent, launcher, operator):
        await run(operator)
        await cut_to(operator, CutStep.COMMITTED)
        await operator.tell(Leave(cut="c1"))
        report = await operator.see(lambda r: r.phase is Phase.LEFT)
        assert launcher.ops() == ["start", "prepare", "dump", "leave"]
        assert set(report.cut.parts_ms) == {"prepare", "lock", "freeze", "dump", "files", "store", "commit"}
        assert await agent.terminate() == 0
        assert list((agent.root / "run" / "images").iterdir()) == []
    async with worker(tmp_path, session, 2, restore="ns/job/c1") as (agent, launcher, operator):
        report = await operator.see(lambda r: r.phase is Phase.RESTORED)
        assert set(report.restore_ms) == {"fetch", "files", "restore"}
        assert launcher.ops() == ["restore"]
        await operator.tell(Go())
        await operator.see(lambda r: r.phase is Phase.RUNNING)
        assert launcher.ops() == ["restore", "thaw"]


async def test_a_program_is_cut_and_stays(tmp_path, session):
    async with worker(tmp_path, session) as (_, launcher, operator):
        await run(operator)
        await cut_to(operator, CutStep.DUMPED)
        await operator.tell(Release(cut="c1"))
        await operator.see(lambda r: r.cut.released)
        assert operator.report.phase is Phase.RUNNING
        await operator.tell(Store(cut="c1"))
        await operator.see(lambda r: r.cut.step is CutStep.STORED)
        await operator.tell(Commit(cut="c1", digests=[operator.report.cut.digest]))
        await operator.see(lambda r: r.cut.step is CutStep.COMMITTED)
        assert launcher.ops() == ["start", "prepare", "dump", "thaw"]


async def test_without_renewal_the_program_runs_on(tmp_path, session):
    async with worker(tmp_path, session) as (_, launcher, operator):
        await run(operator)
        await cut_to(operator, CutStep.DUMPED, lease=0.5)
        report = await operator.see(lambda r: r.cut.step is CutStep.ABORTED)
        assert (report.phase, report.cut.failure.reason) == (Phase.RUNNING, "LeaseExpired")
        assert launcher.ops()[-1] == "thaw"


async def test_a_dump_that_the_launcher_refuses_is_reported_in_its_words(tmp_path, session):
    async with worker(tmp_path, session) as (_, launcher, operator):
        await run(operator)
        launcher.refuse["dump"] = ("OpenDevice", "The program holds /dev/kvm open, which cannot be moved.")
        await operator.tell(Lock(cut="c1", lease_seconds=60))
        await operator.tell(Dump(cut="c1"))
        report = await operator.see(lambda r: r.cut and r.cut.failure)
        assert report.cut.failure.reason == "OpenDevice"
        assert report.phase is Phase.RUNNING
        await operator.tell(Abort(cut="c1", failure=report.cut.failure))
        await operator.see(lambda r: r.cut.step is CutStep.ABORTED)
        assert launcher.ops() == ["start", "prepare", "dump"]


@pytest.mark.parametrize("step", [None, "Locked", "Dumped", "Stored", "Committed"])
async def test_killed_between_any_two_steps_the_agent_goes_on(tmp_path, session, step):
    async with worker(tmp_path, session) as (agent, launcher, operator):
        await run(operator)
        if step:
            await cut_to(operator, CutStep(step))
        await agent.kill()
        operator.forget()
        await agent.start()
        await operator.see(lambda r: r.phase in (Phase.RUNNING, Phase.FROZEN))
        assert (operator.report.cut.step if operator.report.cut else None) == step
        await cut_to(operator, CutStep.COMMITTED)
        await operator.tell(Leave(cut="c1"))
        await operator.see(lambda r: r.phase is Phase.LEFT)
        assert launcher.ops().count("start") == 1
        assert launcher.ops().count("dump") == 1


@pytest.mark.parametrize("op", ["start", "prepare", "dump", "thaw", "leave"])
async def test_killed_while_the_launcher_works_the_agent_asks_again(tmp_path, session, op):
    async with worker(tmp_path, session) as (agent, launcher, operator):
        launcher.hold.add(op)
        orders = {"dump": [Dump(cut="c1")], "thaw": [Dump(cut="c1"), Release(cut="c1")]}
        await operator.see(lambda r: r.phase is Phase.WAITING)
        await operator.tell(Go())
        if op != "start":
            await operator.see(lambda r: r.phase is Phase.RUNNING)
            await operator.tell(Lock(cut="c1", lease_seconds=60))
        if op == "leave":
            await cut_to(operator, CutStep.COMMITTED)
            await operator.tell(Leave(cut="c1"))
        for order in orders.get(op, []):
            await operator.tell(order)
        await launcher.asked(op)
        await agent.kill()
        operator.forget()
        launcher.hold.clear()
        await agent.start()
        wanted = {"start": Phase.WAITING, "dump": Phase.FROZEN, "leave": Phase.LEFT}
        await operator.see(lambda r: r.phase is wanted.get(op, Phase.RUNNING))
        if op == "prepare":
            await operator.see(lambda r: r.cut.step is CutStep.LOCKED)
        if op == "thaw":
            await operator.see(lambda r: r.cut.released)


async def test_told_to_end_during_an_upload_the_agent_finishes_it(tmp_path, session):
    async with worker(tmp_path, session) as (agent, _, operator):
        await run(operator)
        await cut_to(operator, CutStep.DUMPED)
        await operator.tell(Release(cut="c1"))
        await operator.see(lambda r: r.cut.released)
        await operator.tell(Store(cut="c1"))
        ending = asyncio.create_task(agent.terminate())
        await operator.see(lambda r: r.cut.step is CutStep.STORED)
        await operator.tell(Commit(cut="c1", digests=[operator.report.cut.digest]))
        await operator.see(lambda r: r.cut.step is CutStep.COMMITTED)
        assert await ending == 0


async def test_the_launcher_is_found_again_after_it_spoke_nonsense(tmp_path, session):
    async with worker(tmp_path, session) as (_, launcher, operator):
        await run(operator)
        launcher.event(no="sense")
        launcher.event(event="exited", code="many")
        await launcher.asked("status", times=2)
        await cut_to(operator, CutStep.DUMPED)


@pytest.mark.parametrize("context", [other_worker_context, stranger_context])
async def test_only_the_operator_is_answered(tmp_path, session, context):
    async with worker(tmp_path, session) as (agent, _, operator):
        await operator.see(lambda r: r.phase is Phase.WAITING)
        connector = aiohttp.TCPConnector(ssl=context(tmp_path / "tls"))
        async with aiohttp.ClientSession(connector=connector) as stranger:
            with pytest.raises(aiohttp.ClientError):
                await stranger.get(f"{agent.base}/v1/report", server_hostname=SERVER_NAME)


UNUSABLE_COMMANDS = {
    "": (400, "InvalidCommand"),
    "[]": (400, "InvalidCommand"),
    '{"kind": "Explode"}': (400, "InvalidCommand"),
    '{"kind": "Lock", "cut": "../../etc", "lease_seconds": 5}': (400, "InvalidCommand"),
    '{"kind": "Lock", "cut": "c1", "lease_seconds": -1}': (400, "InvalidCommand"),
    '{"kind": "Lock", "cut": "c1", "lease_seconds": 5, "more": 1}': (400, "InvalidCommand"),
    '{"kind": "Dump", "cut": "c1"}': (409, "UnknownCut"),
}


async def test_unusable_requests_are_refused_with_a_reason(tmp_path, session):
    async with worker(tmp_path, session) as (agent, launcher, operator):
        await operator.see(lambda r: r.phase is Phase.WAITING)
        for body, expected in UNUSABLE_COMMANDS.items():
            url = f"{agent.base}/v1/commands"
            async with session.post(url, data=body, server_hostname=SERVER_NAME) as answer:
                assert (answer.status, json.loads(await answer.text())["reason"]) == expected
        for query in ("after=x", "after=-1", "timeoutSeconds=nan", "timeoutSeconds=inf"):
            url = f"{agent.base}/v1/report?{query}"
            async with session.get(url, server_hostname=SERVER_NAME) as answer:
                assert (answer.status, json.loads(await answer.text())["reason"]) == (400, "InvalidQuery")
        assert launcher.ops() == []


async def test_a_missing_setting_ends_the_process_with_its_name(tmp_path, session):
    agent = Agent(tmp_path, "127.0.76.9", ERGO_STORE="", ERGO_INCARNATION="first")
    await agent.start()
    assert await agent.ended() == 2
    assert "ERGO_STORE" in agent.log.read_text()
    assert "ERGO_INCARNATION" in agent.log.read_text()
