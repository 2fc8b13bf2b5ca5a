"""Workers with everything real: launcher and CRIU in namespaces of a pod, the agent's process beside them."""

import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
from tests.integration.agent.operating import Operator
from tests.integration.agent.process import Agent
from tests.integration.agent.wire import Wire
from tests.integration.launcher.pod import Pod, Template

PYTHON = "/usr/bin/python3"
COUNT = """
import time
for i in range(10**9):
    print(i, flush=True)
    time.sleep(0.001)
"""


class Worker:
    """One pod, its agent, and the operator's view of it."""

    def __init__(self, pod: Pod, agent: Agent, operator: Operator) -> None:
        self.pod, self.agent, self.operator = pod, agent, operator

    @property
    def address(self) -> str:
        """The address of the pod."""
        return self.agent.address

    async def restart_agent(self) -> None:
        """Kill the agent and start it again, as the kubelet does."""
        await self.agent.kill()
        self.operator.forget()
        await self.agent.start()


class Workers:
    """Makes workers of one job, which share a store."""

    def __init__(self, home: Path, binaries: Path, wire: Wire, session: aiohttp.ClientSession) -> None:
        self._home, self._binaries, self._wire, self._session = home, binaries, wire, session
        self._numbers = itertools.count(1)
        self.store = home / "store"
        self.store.mkdir()
        self.pods: list[Pod] = []

    @asynccontextmanager
    async def worker(self, program: str = COUNT, restore: str = "", options: tuple[str, ...] = ()):
        """A worker, gone at the end of the context."""
        number = next(self._numbers)
        root = self._home / f"agent-{number}"
        root.mkdir()
        (root / "tls").symlink_to(self._home / "tls")
        # The pod's root is the host's, since the agent's Python is readable to nobody else.
        pod = Pod(self._home / f"pod-{number}", self._binaries, 0, Template())
        (root / "run").symlink_to(pod.home / "run")
        self.pods.append(pod)
        async with AsyncExitStack() as stack:
            stack.callback(pod.delete)
            pod.start(PYTHON, "-c", program, options=options)
            address = self._wire.plug(pod.pid, number)
            store = self.store.as_uri()
            agent = Agent(root, address, pod.pid, ERGO_STORE=store, ERGO_RESTORE=restore)
            stack.push_async_callback(agent.end)
            await agent.start()
            yield Worker(pod, agent, Operator(self._session, agent.base))
