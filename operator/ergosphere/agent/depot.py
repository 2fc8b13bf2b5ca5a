"""Images on their way to and from the store."""

import asyncio
import importlib
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from ergosphere.agent import effects as do
from ergosphere.agent.departed import Departed
from ergosphere.agent.errors import StoreFailed
from ergosphere.agent.images import Images
from ergosphere.agent.inputs import Outcome
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.origin import Origin
from ergosphere.agent.settings import Settings
from ergosphere.agent.state import RESTORE_DIRECTORY
from ergosphere.agent.stopwatch import Stopwatch

if TYPE_CHECKING:
    from ergosphere.checkpoints import Store


class Depot:
    """Moves the images of one worker. `open_store` is called once, when the store is first needed."""

    def __init__(
        self,
        settings: Settings,
        platform: NodePlatform,
        images: Images,
        departed: Departed,
        open_store: "Callable[[], Store]",
    ) -> None:
        self._settings = settings
        self._platform = platform
        self._images = images
        self._departed = departed
        self._open_store = open_store
        self._store: Store | None = None

    async def perform(self, work: do.StoreWork) -> Outcome:
        """Carry out one piece of work. Raises StoreFailed."""
        # Imported late, and beside the event loop: an agent answers sooner without it.
        checkpoints = await asyncio.to_thread(importlib.import_module, "ergosphere.checkpoints")
        try:
            return await self._perform(work)
        except checkpoints.StoreError as error:
            raise StoreFailed(error.reason, str(error)) from error
        except OSError as error:
            raise StoreFailed("DiskFailed", str(error)) from error

    async def _perform(self, work: do.StoreWork) -> Outcome:
        match work:
            case do.RemoveImages(names):
                await asyncio.to_thread(self._images.remove, names)
                return Outcome()
            case do.StoreFetch(checkpoint):
                return await self._fetch(checkpoint)
            case do.StoreSave(cut):
                return await self._save(cut)
            case do.StoreCommit(cut, digests):
                return await self._commit(cut, digests)
            case do.StoreAbandon(cut):
                await self._opened().abandon(self._settings.checkpoint(cut))
                return Outcome()

    def _opened(self) -> "Store":
        if self._store is None:
            self._store = self._open_store()
        return self._store

    async def _fetch(self, checkpoint: str) -> Outcome:
        watch = Stopwatch()
        path = await asyncio.to_thread(self._images.prepare, RESTORE_DIRECTORY)
        if self._settings.cooperative:
            await self._fetch_all(checkpoint, path)
            return Outcome({"fetch": watch.ms()})
        await self._opened().fetch(checkpoint, self._settings.rank, path)
        return Outcome({"fetch": watch.ms()}, origin=await asyncio.to_thread(self._origin))

    def _origin(self) -> Origin:
        """What the fetched image needs: an address that no socket is bound to may be somebody else's now."""
        from ergosphere.checkpoints import Corrupt, criu

        image = self._images.path(RESTORE_DIRECTORY) / "files.img"
        try:
            origin = self._images.origin(RESTORE_DIRECTORY)
            bound = criu.socket_addresses(image.read_bytes()) if image.exists() else frozenset()
        except (ValueError, Corrupt) as error:
            raise StoreFailed("CheckpointCorrupt", str(error)) from None
        needed = tuple(a for a in origin.addresses if ip_address(a) in bound)
        return origin.model_copy(update={"addresses": needed})

    async def _fetch_all(self, checkpoint: str, path: Path) -> None:
        """Fetch what each rank saved, whatever their number was, in directories named by their order.

        The launcher lays them over each other: where several saved the same file, this rank's own counts, or
        else the lowest rank's.
        """
        world = len((await self._opened().read(checkpoint)).ranks)
        order = sorted(range(world), key=lambda rank: (rank == self._settings.rank, -rank))
        for number, rank in enumerate(order):
            await self._opened().fetch(checkpoint, rank, path / f"{number:05}")

    async def _save(self, cut: str) -> Outcome:
        watch = Stopwatch()
        addresses = await self._departed.present()
        self._images.sign(cut, Origin(platform=self._platform, addresses=addresses))
        settings = self._settings
        saved = await self._opened().save(
            self._images.path(cut), settings.checkpoint(cut), settings.rank, world=settings.world
        )
        parts = {"store": watch.ms()}
        return Outcome(parts, bytes=saved.bytes, new_bytes=saved.new_bytes, digest=saved.digest)

    async def _commit(self, cut: str, digests: tuple[str, ...]) -> Outcome:
        watch = Stopwatch()
        settings = self._settings
        meta = {
            "job": settings.job,
            "jobUid": settings.job_uid,
            "world": str(settings.world),
            "incarnation": str(settings.incarnation),
            **self._platform.reported.model_dump(),
        }
        await self._opened().commit(settings.checkpoint(cut), digests, meta)
        return Outcome({"commit": watch.ms()})
