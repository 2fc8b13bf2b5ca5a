"""Tools that shape the network, and what becomes of one that does not end."""

import asyncio
import signal
from typing import Any

import pytest

from ergosphere.agent import console
from ergosphere.agent.errors import NetworkFailed


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[asyncio.subprocess.Process]":
    """The processes of tools, once they have begun."""
    begun: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
    begin = asyncio.create_subprocess_exec

    async def noted(*command: str, **how: Any) -> asyncio.subprocess.Process:
        process = await begin(*command, **how)
        begun.put_nowait(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    return begun


async def test_a_tool_is_fed_and_heard() -> None:
    assert await console.run("cat", feed="table") == b"table"


async def test_a_tool_that_fails_is_quoted() -> None:
    with pytest.raises(NetworkFailed, match="exit 1: no such table"):
        await console.run("sh", "-c", "echo no such table >&2; exit 1")
    with pytest.raises(NetworkFailed, match="/nowhere cannot be run"):
        await console.run("/nowhere")


async def test_a_tool_that_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, started: "asyncio.Queue[asyncio.subprocess.Process]"
) -> None:
    monkeypatch.setattr(console, "_SLOWEST_SECONDS", 0.01)
    with pytest.raises(NetworkFailed, match="sleep 600 did not end within"):
        await console.run("sleep", "600")
    assert await (await started.get()).wait() == -signal.SIGKILL


async def test_a_tool_that_nobody_waits_for_any_more_is_ended(
    started: "asyncio.Queue[asyncio.subprocess.Process]",
) -> None:
    running = asyncio.create_task(console.run("sleep", "600"))
    process = await started.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await process.wait() == -signal.SIGKILL
