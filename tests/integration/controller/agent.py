"""The agent of a simulated pod: the real core and HTTP face, hands that act on a simulated program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from tests.integration.controller.faults import Faults, Killed
from tests.integration.controller.shelf import Shelf
from tests.integration.controller.training import Program
from tests.integration.controller.trouble import Trouble

from ergosphere.agent import effects as do
from ergosphere.agent.errors import WorkFailed
from ergosphere.agent.inputs import Connected, Failed, Outcome, Succeeded
from ergosphere.agent.journal import JournalFile
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.origin import Origin
from ergosphere.agent.server import application
from ergosphere.agent.settings import Settings
from ergosphere.agent.state import State
from ergosphere.agent.tls import server_context
from ergosphere.agent.worker import Worker
from ergosphere.api.agent import AGENT_PORT, Command, Report

PLATFORM = NodePlatform.here()


class Hands:
    """Carries out the effects of one worker."""

    def __init__(self, program: Program, shelf: Shelf, settings: Settings, trouble: Trouble) -> None:
        self._program = program
        self._shelf = shelf
        self._settings = settings
        self._trouble = trouble
        self._image = 0

    async def carry_out(self, work: do.Work) -> Succeeded | Failed:
        try:
            await self._trouble.meet(type(work).__name__)
            return Succeeded(work, self._perform(work))
        except WorkFailed as error:
            return Failed(work, error.failure)

    def _perform(self, work: do.Work) -> Outcome:
        program = self._program
        match work:
            case do.LauncherPrepare():
                return Outcome({"prepare": 1.0})
            case do.NetLock():
                return Outcome({"lock": 1.0})
            case do.LauncherStatus():
                return Outcome(status=Connected(program.state, program.cut, program.exit))
            case do.LauncherStart():
                program.start()
            case do.LauncherFreeze(cut):
                program.freeze(cut)
                return Outcome({"freeze": 1.0})
            case do.LauncherDump(cut):
                self._image = program.freeze(cut)
                return Outcome({"freeze": 1.0, "dump": 2.0, "files": 0.5}, bytes=1000)
            case do.LauncherThaw():
                program.thaw()
            case do.LauncherLeave(cut):
                program.leave(cut)
            case do.LauncherRestore():
                program.restore(self._image)
                return Outcome({"files": 0.5, "restore": 3.0})
            case _:
                return self._store(work)
        return Outcome()

    def _store(self, work: do.Work) -> Outcome:
        name, rank = self._settings.checkpoint, self._settings.rank
        match work:
            case do.StoreFetch(checkpoint):
                self._image = self._shelf.fetch(checkpoint, rank)
                origin = None if self._settings.cooperative else Origin(platform=PLATFORM, addresses=())
                return Outcome({"fetch": 4.0}, origin=origin)
            case do.StoreSave(cut):
                digest = self._shelf.save(name(cut), rank, self._image)
                return Outcome({"store": 5.0}, bytes=1000, new_bytes=10, digest=digest)
            case do.StoreCommit(cut, digests):
                self._shelf.commit(name(cut), digests)
                return Outcome({"commit": 1.0})
        return Outcome()


class Agent:
    """One agent process. `faults` are those of the operator that it talks to at the moment."""

    def __init__(self, settings: Settings, hands: Hands, program: Program) -> None:
        now = asyncio.get_running_loop().time()
        fresh = State(
            rank=settings.rank,
            world=settings.world,
            incarnation=settings.incarnation,
            platform=PLATFORM,
            version=int(now * 1000),
            restore=settings.restore,
            cooperative=settings.cooperative,
        )
        journal = JournalFile(settings.root / "agent.json")
        self.worker = Worker(journal.read().resume(fresh, now), journal)
        self.faults = Faults()
        self.worker.begin(hands)
        self.worker.hear(Connected(program.state, program.cut, program.exit))

    def command(self, command: Command) -> Report:
        """Take a command of the operator, if it lives to send it; its answer, if it lives to read it."""
        if command.kind == "Renew":
            return self.worker.command(command)
        try:
            self.faults.before(f"tell {command.kind}")
            report = self.worker.command(command)
            self.faults.after(f"tell {command.kind}")
        except Killed:
            raise web.HTTPServiceUnavailable from None
        return report

    async def report(self, after: int, timeout_seconds: float) -> Report:
        return await self.worker.report(after, timeout_seconds)


@asynccontextmanager
async def serving(agent: Agent, ip: str, directory: Path) -> AsyncIterator[None]:
    """Listen as the pod's agent does; connections are cut at the end, as those of a process that is gone."""
    runner = web.AppRunner(application(agent), access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, ip, AGENT_PORT, ssl_context=server_context(directory)).start()
        yield
    finally:
        await runner.cleanup()
