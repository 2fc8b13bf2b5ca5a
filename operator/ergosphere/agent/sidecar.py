"""The agent as a process: builds its parts, serves until SIGTERM, and ends when its uploads have."""

import asyncio
import importlib
import logging
import os
import signal
import ssl

from ergosphere.agent.departed import Departed
from ergosphere.agent.depot import Depot
from ergosphere.agent.hands import Hands
from ergosphere.agent.images import Images
from ergosphere.agent.journal import JournalFile
from ergosphere.agent.launcher import Launcher
from ergosphere.agent.network import JobNetwork, Network, NoNetwork
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.settings import Settings
from ergosphere.agent.state import RESTORE_DIRECTORY, State
from ergosphere.agent.storage import open_store
from ergosphere.agent.tls import server_context
from ergosphere.agent.worker import Worker
from ergosphere.api.agent import AGENT_PORT

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Serve until SIGTERM and return the exit status."""
    try:
        tls = server_context(settings.root / "tls")
        return asyncio.run(_run(settings, tls))
    except (OSError, ssl.SSLError) as error:
        log.error("the agent cannot go on", exc_info=error)
        return 1


async def _run(settings: Settings, tls: ssl.SSLContext) -> int:
    term = asyncio.create_task(_sigterm())
    platform = NodePlatform.here()
    images = Images(settings.images)
    journal = JournalFile(settings.run / "agent.json")
    worker = Worker(_initial(settings, platform, images, journal), journal)
    launcher = Launcher(settings.run / "launcher.sock", worker.hear)
    network: Network = JobNetwork(settings) if settings.world > 1 else NoNetwork()
    departed = Departed()
    depot = Depot(settings, platform, images, departed, lambda: open_store(settings, os.environ))
    worker.begin(Hands(launcher, network, departed, images, depot))
    connection = asyncio.create_task(launcher.run())
    # Importing takes longer than all the rest. The worker gets on meanwhile; a fetch is the first to go on.
    if settings.restore:
        await asyncio.to_thread(importlib.import_module, "ergosphere.checkpoints")
    server = await asyncio.to_thread(importlib.import_module, "ergosphere.agent.server")
    async with server.serving(server.application(worker), settings.pod_ip, AGENT_PORT, tls):
        log.info("serving", extra={"fields": {"job": settings.job, "rank": settings.rank}})
        await _first(term, worker.crashed, connection)
        await worker.drain()
    connection.cancel()
    return 0


def _initial(settings: Settings, platform: NodePlatform, images: Images, journal: JournalFile) -> State:
    now = asyncio.get_running_loop().time()
    fresh = State(
        rank=settings.rank,
        world=settings.world,
        incarnation=settings.incarnation,
        platform=platform,
        # The clock outlives the process: readers see the version of a restarted agent go on growing.
        version=int(now * 1000),
        restore=settings.restore,
        cooperative=settings.cooperative,
    )
    state = journal.read().resume(fresh, now)
    wanted = {state.cut.id} if state.cut else set()
    if state.restore:
        wanted.add(RESTORE_DIRECTORY)
    for name in images.names():
        state = state if name in wanted else state.without_image(name)
    return state


async def _sigterm() -> None:
    term = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, term.set)
    await term.wait()


async def _first(*ends: "asyncio.Future[None]") -> None:
    """Return when the first of these does; raise what it raised."""
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for finished in done:
        finished.result()
