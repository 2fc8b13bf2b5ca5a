"""Whole jobs on a wire: a pod, an agent and the operator's view for each rank."""

import itertools
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from tests.integration.agent.certificates import give_job_its_keys
from tests.integration.agent.operating import Operator
from tests.integration.agent.process import Agent
from tests.integration.agent.wire import Wire
from tests.integration.agent.workers import PYTHON, Worker
from tests.integration.launcher.pod import Pod, Template

from ergosphere.controller.certificates import client_context, new_authority


class Gangs:
    """Makes the pods of one job, again and again, on one wire."""

    def __init__(
        self,
        home: Path,
        binaries: Path,
        wire: Wire,
        world: int,
        program: str,
        options: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self._home, self._binaries, self._wire = home, binaries, wire
        self._world, self._program = world, program
        self._options, self._environment = options, environment
        self._authority = new_authority()
        give_job_its_keys(self._authority, home / "tls")
        (home / "store").mkdir()
        self._numbers = itertools.count(1)

    async def place(self, stack: AsyncExitStack, restore: str = "", world: int = 0) -> list[Worker]:
        """A pod and an agent for each rank, or for so many others, gone when the stack unwinds."""
        connector = aiohttp.TCPConnector(ssl=client_context(self._authority))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        ranks = range(world or self._world)
        return [await self._worker(stack, session, rank, len(ranks), restore) for rank in ranks]

    async def _worker(
        self, stack: AsyncExitStack, session: aiohttp.ClientSession, rank: int, world: int, restore: str
    ) -> Worker:
        number = next(self._numbers)
        root = self._home / f"agent-{number}"
        root.mkdir()
        (root / "tls").symlink_to(self._home / "tls")
        pod = Pod(self._home / f"pod-{number}", self._binaries, 0, Template())
        (root / "run").symlink_to(pod.home / "run")
        stack.callback(pod.delete)
        env = {"RANK": str(rank), "WORLD": str(world)}
        options = (*self._options, *(["--gang"] if self._options and world > 1 else []))
        pod.start(PYTHON, "-c", self._program, options=options, env=env)
        address = self._wire.plug(pod.pid, number)
        agent = Agent(
            root,
            address,
            pod.pid,
            ERGO_RANK=str(rank),
            ERGO_WORLD=str(world),
            ERGO_STORE=(self._home / "store").as_uri(),
            ERGO_RESTORE=restore,
            ERGO_NETWORK_CIDR="10.99.0.0/24",
            ERGO_NETWORK_ID="42",
            **self._environment,
        )
        stack.push_async_callback(agent.end)
        await agent.start()
        return Worker(pod, agent, Operator(session, agent.base))
