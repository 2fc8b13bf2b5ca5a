"""How each effect is carried out: the program's and its network's, and those of images and the store."""

import logging

from ergosphere.agent import effects as do
from ergosphere.agent import loopback
from ergosphere.agent.departed import Departed
from ergosphere.agent.depot import Depot
from ergosphere.agent.errors import LauncherLost, WorkFailed
from ergosphere.agent.images import Images
from ergosphere.agent.inputs import Failed, Outcome, Succeeded
from ergosphere.agent.launcher import Launcher, Line
from ergosphere.agent.network import Network
from ergosphere.agent.state import RESTORE_DIRECTORY
from ergosphere.agent.stopwatch import Stopwatch
from ergosphere.api.agent import Failure

LAUNCHER_IMAGES = "/ergosphere/run/images"
"""Where the launcher's container has the images."""

log = logging.getLogger(__name__)


class Hands:
    """Carries out the effects of one worker."""

    def __init__(
        self, launcher: Launcher, network: Network, departed: Departed, images: Images, depot: Depot
    ) -> None:
        self._launcher = launcher
        self._network = network
        self._departed = departed
        self._images = images
        self._depot = depot

    async def carry_out(self, work: do.Work) -> Succeeded | Failed:
        """Do it. A bug met on the way fails this piece of work, not the worker."""
        try:
            return Succeeded(work, await self._perform(work))
        except WorkFailed as error:
            return Failed(work, error.failure, lost=isinstance(error, LauncherLost))
        except Exception as bug:
            log.exception("a bug in the agent")
            message = f"The agent met a bug of its own ({type(bug).__name__}); its log has the details."
            return Failed(work, Failure(reason="InternalError", message=message))

    async def _perform(self, work: do.Work) -> Outcome:
        if isinstance(work, do.NetWork):
            return await self._shape_network(work)
        match work:
            case do.LauncherStatus():
                return Outcome(status=await self._launcher.status())
            case do.LauncherPrepare() | do.LauncherFreeze() | do.LauncherDump() | do.LauncherRestore():
                return await self._image(work)
            case do.LauncherStart() | do.LauncherRenew() | do.LauncherThaw() | do.LauncherLeave():
                return await self._order(work)
            case _:
                return await self._depot.perform(work)

    async def _shape_network(self, work: do.NetWork) -> Outcome:
        watch = Stopwatch()
        match work:
            case do.NetUp():
                return Outcome(locked=await self._network.up())
            case do.NetLock():
                await self._network.lock()
                return Outcome({"lock": watch.ms()})
            case do.NetUnlock():
                await self._network.unlock()
            case do.NetOpen(peers):
                await self._network.open(peers)
            case do.NetAdopt(addresses):
                await self._departed.adopt(addresses)
            case do.NetSever(addresses):
                await self._departed.sever(addresses)
        return Outcome()

    async def _order(
        self, work: do.LauncherStart | do.LauncherRenew | do.LauncherThaw | do.LauncherLeave
    ) -> Outcome:
        match work:
            case do.LauncherStart():
                await self._launcher.ask("start")
            case do.LauncherRenew(cut, seconds):
                await self._launcher.ask("renew", cut=cut, leaseSeconds=seconds)
            case do.LauncherThaw(cut) if cut:
                await self._launcher.ask("thaw", cut=cut)
            case do.LauncherThaw():
                await loopback.let_pass()
                await self._launcher.ask("thaw")
            case do.LauncherLeave(cut):
                await self._launcher.ask("leave", cut=cut)
        return Outcome()

    async def _image(
        self, work: do.LauncherPrepare | do.LauncherFreeze | do.LauncherDump | do.LauncherRestore
    ) -> Outcome:
        """Make or take an image; when that fails, the images' logs say why, and images are soon deleted."""
        name = RESTORE_DIRECTORY if isinstance(work, do.LauncherRestore) else work.cut
        try:
            match work:
                case do.LauncherPrepare():
                    return await self._prepare(work)
                case do.LauncherFreeze():
                    return Outcome({"freeze": (await self._of_cut("freeze", work)).freezeMs})
                case do.LauncherDump():
                    return await self._dump(work)
                case do.LauncherRestore():
                    return await self._restore()
        except WorkFailed:
            log.warning("CRIU's logs", extra={"fields": {"image": name, **self._images.log_tails(name)}})
            raise

    async def _prepare(self, work: do.LauncherPrepare) -> Outcome:
        watch = Stopwatch()
        await self._of_cut("prepare", work)
        return Outcome({"prepare": watch.ms()})

    async def _dump(self, work: do.LauncherDump) -> Outcome:
        done = await self._of_cut("dump", work)
        parts = {"freeze": done.freezeMs, "dump": done.dumpMs, "files": done.filesMs}
        return Outcome(parts, bytes=done.bytes)

    async def _of_cut(self, op: str, work: do.LauncherPrepare | do.LauncherFreeze | do.LauncherDump) -> Line:
        path = f"{LAUNCHER_IMAGES}/{work.cut}"
        return await self._launcher.ask(op, cut=work.cut, dir=path, leaseSeconds=work.lease_seconds)

    async def _restore(self) -> Outcome:
        await loopback.silence()
        done = await self._launcher.ask("restore", dir=f"{LAUNCHER_IMAGES}/{RESTORE_DIRECTORY}")
        return Outcome({"files": done.filesMs, "restore": done.restoreMs})
