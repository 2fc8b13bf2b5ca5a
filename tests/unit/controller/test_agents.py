"""What the operator bears from whatever stands in an agent's place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from ergosphere.agent.tls import server_context
from ergosphere.api.agent import Go, Phase, Platform, Report
from ergosphere.controller import agents as module
from ergosphere.controller.agents import Address, Agents
from ergosphere.controller.certificates import client_context, issue, new_authority

NAME = "job.ergosphere.dev"
ADDRESS = Address("pod", "job", "127.0.0.1", NAME)
PLATFORM = Platform(architecture="amd64", kernel="6.18", cpu_flags="f")
REPORT = Report(version=1, rank=0, incarnation=1, phase=Phase.RUNNING, platform=PLATFORM)
SHORT = REPORT.model_dump_json().encode()
# JSON may be followed by any number of blanks.
HUGE = SHORT + b" " * (32 << 20)


class Forged:
    """An agent that answers everything with `body`; `sent` is how much of it was taken."""

    def __init__(self, body: bytes, *, packed: bool = False) -> None:
        self.body, self.packed, self.sent = body, packed, 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200 if request.method == "GET" else 202)
        if self.packed:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        while self.sent < len(self.body) and request.transport and not request.transport.is_closing():
            await response.write(self.body[self.sent : self.sent + (1 << 16)])
            self.sent += 1 << 16
            await asyncio.sleep(0)
        return response


@asynccontextmanager
async def spoken_to(agent: Forged, directory: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Agents]:
    """The operator's side of such an agent, which has a certificate of its job's."""
    authority = new_authority()
    own = issue(authority, NAME, server=True)
    files = {"tls.crt": own.certificate, "tls.key": own.key, "ca.crt": authority.certificate}
    for name, content in files.items():
        (directory / name).write_bytes(content)
    application, agents = web.Application(), Agents(client_context(authority), lambda job: None)
    application.router.add_route("*", "/{path:.*}", agent.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    patch.setattr(module, "AGENT_PORT", port := unused_port())
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=server_context(directory)).start()
    try:
        yield agents
    finally:
        await agents.close()
        await runner.cleanup()


async def test_a_report_of_common_length_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with spoken_to(Forged(SHORT), tmp_path, monkeypatch) as agents:
        assert await agents.tell(ADDRESS, Go())
        assert agents.unheard == {}


async def test_an_answer_without_an_end_is_not_read_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Forged(HUGE)
    async with spoken_to(agent, tmp_path, monkeypatch) as agents:
        assert not await agents.tell(ADDRESS, Go())
        assert set(agents.unheard) == {"pod"}
    assert agent.sent < len(HUGE) / 2


async def test_an_answer_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with spoken_to(Forged(HUGE, packed=True), tmp_path, monkeypatch) as agents:
        assert not await agents.tell(ADDRESS, Go())


async def test_an_agent_sends_the_operator_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Referring(SHORT)
    async with spoken_to(agent, tmp_path, monkeypatch) as agents:
        assert not await agents.tell(ADDRESS, Go())
    assert agent.asked == ["/v1/commands"]


class Referring(Forged):
    """An agent that sends whoever asks it elsewhere."""

    asked: list[str]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked = [*getattr(self, "asked", []), request.path]
        return web.Response(status=307, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def followed(patch: pytest.MonkeyPatch, *errors: Exception) -> AsyncIterator[Agents]:
    """An agent that was asked once more than it was not reached, and keeps the last question open."""
    agents = Agents(client_context(new_authority()), lambda job: None)
    left, asked = [*errors], asyncio.Event()

    async def report(*_: object) -> Report:
        if left:
            raise left.pop()
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    patch.setattr(module, "_RETRY_SECONDS", 0.0)
    patch.setattr(agents, "_report", report)
    agents.follow({ADDRESS})
    await asked.wait()
    try:
        yield agents
    finally:
        await agents.close()


async def test_an_agent_that_cannot_be_reached_is_known_before_anything_is_told_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with followed(monkeypatch, TimeoutError(), TimeoutError()) as agents:
        assert agents.waited(["pod", "other"]).keys() == {"pod"}
        assert agents.silent(0) == frozenset()
        agents.follow(set())
        assert agents.waited(["pod"]) == {}


async def test_one_that_has_nothing_new_to_say_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    async with followed(monkeypatch) as agents:
        assert agents.waited(["pod"]) == {}


async def test_so_was_one_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with spoken_to(Forged(SHORT), tmp_path, monkeypatch) as agents:
        agents.unreached["pod"] = 0.0
        await agents.ask(ADDRESS)
        assert agents.waited(["pod"]) == {}
