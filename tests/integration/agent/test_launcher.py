"""The agent's connection to a launcher that does not answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.agent.fake_launcher import FakeLauncher

from ergosphere.agent import launcher as module
from ergosphere.agent.errors import LauncherLost
from ergosphere.agent.inputs import Connected, Disconnected, Input
from ergosphere.agent.launcher import Launcher

SOON = 0.2


@pytest.fixture
async def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeLauncher]:
    monkeypatch.setattr(module, "ANSWER_SECONDS", SOON)
    async with FakeLauncher(tmp_path / "launcher.sock") as launcher:
        yield launcher


@pytest.fixture
async def heard() -> asyncio.Queue[Input]:
    return asyncio.Queue()


@pytest.fixture
async def launcher(fake: FakeLauncher, heard: asyncio.Queue[Input]) -> AsyncIterator[Launcher]:
    launcher = Launcher(fake.path, heard.put_nowait)
    running = asyncio.create_task(launcher.run())
    yield launcher
    running.cancel()


async def hears(heard: asyncio.Queue[Input], kind: type[Input]) -> None:
    assert isinstance(await asyncio.wait_for(heard.get(), 60), kind)


@pytest.mark.parametrize("op", ["status", "start", "renew", "thaw"])
async def test_what_takes_no_time_is_lost_and_the_connection_made_again(
    fake: FakeLauncher, launcher: Launcher, heard: asyncio.Queue[Input], op: str
) -> None:
    await hears(heard, Connected)
    fake.hold.add(op)
    with pytest.raises(LauncherLost):
        await asyncio.wait_for(launcher.ask(op, cut="cut-1"), 60)
    # Before the request is lost: it is not made again on the connection that has ended.
    assert isinstance(heard.get_nowait(), Disconnected)
    fake.hold.clear()
    await hears(heard, Connected)
    await launcher.ask(op, cut="cut-1")


@pytest.mark.parametrize("op", ["prepare", "freeze", "dump", "restore", "leave"])
async def test_what_takes_its_time_is_waited_for(
    fake: FakeLauncher, launcher: Launcher, heard: asyncio.Queue[Input], op: str
) -> None:
    await hears(heard, Connected)
    fake.hold.add(op)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(launcher.ask(op, cut="cut-1"), 3 * SOON)
    assert heard.empty()


async def test_a_launcher_that_never_says_its_state_is_asked_on_new_connections(
    fake: FakeLauncher, launcher: Launcher, heard: asyncio.Queue[Input]
) -> None:
    fake.hold.add("status")
    await hears(heard, Disconnected)
    fake.hold.clear()
    await hears(heard, Connected)
