"""The store as the agent, the controller and the command line use it."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import unquote, urlsplit

from ergosphere.checkpoints import catalog
from ergosphere.checkpoints import commit as commits
from ergosphere.checkpoints.blobs import Blobs
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.cache import Cache
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.collect import collect
from ergosphere.checkpoints.directory import Directory
from ergosphere.checkpoints.errors import Invalid, Missing
from ergosphere.checkpoints.fetch import fetch
from ergosphere.checkpoints.inspect import RankShares, inspect
from ergosphere.checkpoints.manifest import Manifest
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.save import Saving
from ergosphere.checkpoints.upload import upload

_Result = TypeVar("_Result")
_SCHEMES = ("s3", "gs", "az", "memory")


@dataclass(frozen=True)
class Saved:
    """One rank's images are in the store. `digest` names them to `commit`; bytes are those of the
    images, `new_bytes` those the store grew by."""

    digest: str
    bytes: int
    new_bytes: int


@dataclass(frozen=True)
class Fetched:
    """Images that were written and verified; `bytes` is their size."""

    bytes: int


@dataclass(frozen=True)
class Collected:
    """What a collection removed: packs, and the bytes they took."""

    packs: int
    bytes: int


class Store:
    """Checkpoints under one URL. Safe to use from several processes and nodes at once.

    No method blocks the event loop. All raise `StoreError`s.
    """

    def __init__(self, blobs: Blobs, codec: Codec, shared: bool = False) -> None:
        self._blobs, self._codec, self._shared = blobs, codec, shared

    @classmethod
    def open(
        cls,
        url: str,
        *,
        options: Mapping[str, str] | None = None,
        key: bytes | None = None,
        shared: bool = False,
        cache: Path | None = None,
        cache_bytes: int = 8 << 30,
    ) -> Self:
        """Open the store at `url`: `file:///path`, `s3://bucket/prefix`, `gs://`, `az://` or `memory://`.

        `options` are the backend's credentials and settings (the contents of a Secret). `key` (32 bytes)
        encrypts what is stored. `shared` lets namespaces share pages; without it none can learn what
        another has. `cache` is a directory on this node for up to `cache_bytes` of what was written and
        read. Opening does no I/O; raises `Invalid` for a bad argument.
        """
        blobs = _blobs(url, options or {})
        return cls(Cache(blobs, cache, cache_bytes) if cache else blobs, Codec(key), shared)

    async def save(self, images: Path, checkpoint: str, rank: int, *, world: int = 1) -> Saved:
        """Store the directory `images` (files and subdirectories) as `rank` of `world` of `checkpoint`.

        Nothing of it is visible before `commit`. Repeating it after a failure is safe, and after a
        success gives the first result. Pages that the newest checkpoints have, or a lower rank of this
        one, are not stored again; so the ranks are best saved at the same time, or in order.
        `images` must not change meanwhile. Cancelling leaves garbage that `collect` removes.
        """
        wanted = CheckpointId.parse(checkpoint)
        if not 0 <= rank < world:
            raise Invalid(f"rank {rank}: allowed are 0 to {world - 1}")
        place = self._place(wanted)
        entry = await _stoppable(
            lambda stop: upload(
                place.blobs,
                place.domain,
                wanted,
                rank,
                lambda begun: Saving(place, images, world, begun, stop).run(),
            )
        )
        return Saved(entry.digest, entry.bytes, entry.new_bytes)

    async def commit(self, checkpoint: str, ranks: Sequence[str], meta: Mapping[str, str]) -> Manifest:
        """Make `checkpoint` exist, of the ranks with these digests (from `save`), in rank order.

        Atomic and idempotent: repeating it with the same digests returns the manifest that is there.
        Raises `Refused` when the checkpoint was abandoned or deleted, or exists with other ranks;
        `Missing` when a rank was not saved.
        """
        wanted = CheckpointId.parse(checkpoint)
        return await asyncio.to_thread(
            commits.commit,
            self._blobs,
            self._place(wanted).domain,
            wanted,
            tuple(ranks),
            dict(meta),
            time.time(),
        )

    async def abandon(self, checkpoint: str) -> None:
        """Forget what was saved for `checkpoint`; a later `commit` of it is refused. No-op once committed."""
        wanted = CheckpointId.parse(checkpoint)
        await asyncio.to_thread(commits.abandon, self._blobs, self._place(wanted).domain, wanted)

    async def fetch(self, checkpoint: str, rank: int, destination: Path) -> Fetched:
        """Write the images of `rank` into `destination`, a new or empty directory, every byte verified.

        Raises `Missing` or `Corrupt`, leaving `destination` incomplete: it must not be used then.
        """
        wanted = CheckpointId.parse(checkpoint)
        place = self._place(wanted)
        manifest = await self.read(checkpoint)
        _check_rank(manifest, rank)
        return Fetched(await _stoppable(lambda stop: fetch(place, manifest, rank, destination, stop)))

    async def read(self, checkpoint: str) -> Manifest:
        """The manifest; raises `Missing` when there is no such checkpoint, `Corrupt` for a broken one."""
        wanted = CheckpointId.parse(checkpoint)
        manifest = await asyncio.to_thread(
            catalog.read_manifest, self._blobs, self._place(wanted).domain, wanted
        )
        if manifest is None:
            raise Missing(f"there is no checkpoint {checkpoint}")
        return manifest

    async def inspect(self, checkpoint: str, rank: int) -> RankShares:
        """What is new in the images of `rank`, and what is shared with whom, for each process and mapping."""
        wanted = CheckpointId.parse(checkpoint)
        manifest = await self.read(checkpoint)
        _check_rank(manifest, rank)
        return await asyncio.to_thread(inspect, self._place(wanted), manifest, rank)

    async def list(self, namespace: str, job: str) -> Sequence[Manifest]:
        """All checkpoints of a job, oldest first."""
        domain = Domain.of(CheckpointId(namespace, job, "any").namespace, self._shared)
        prefix = domain.manifests_of(namespace, job)
        found = await asyncio.to_thread(lambda: list(catalog.manifests(self._blobs, domain, prefix)))
        return sorted(found, key=lambda manifest: manifest.created)

    async def delete(self, checkpoint: str) -> None:
        """End the existence of `checkpoint`, or prevent it, for good. `collect` frees its space."""
        wanted = CheckpointId.parse(checkpoint)
        await asyncio.to_thread(commits.delete, self._blobs, self._place(wanted).domain, wanted)

    async def collect(self, namespace: str) -> Collected:
        """Remove every pack that neither a checkpoint nor an upload in progress needs, of those that a
        namespace's checkpoints may use.

        Safe at any time, from any number of processes, killed at any point.
        """
        domain = self._place(CheckpointId(namespace, "any", "any")).domain
        removed = await asyncio.to_thread(lambda: list(collect(self._blobs, domain, time.time())))
        return Collected(packs=len(removed), bytes=sum(entry.size for entry in removed))

    def _place(self, checkpoint: CheckpointId) -> Place:
        return Place(self._blobs, Domain.of(checkpoint.namespace, self._shared), self._codec)


def _check_rank(manifest: Manifest, rank: int) -> None:
    if not 0 <= rank < len(manifest.ranks):
        raise Missing(f"checkpoint {manifest.id} has ranks 0 to {len(manifest.ranks) - 1}, not {rank}")


def _blobs(url: str, options: Mapping[str, str]) -> Blobs:
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Directory(Path(unquote(parts.path)))
    if parts.scheme in _SCHEMES:
        return Bucket(url, options)
    raise Invalid("a store's URL begins with file:///, s3://, gs:// or az://")


async def _stoppable(work: Callable[[threading.Event], _Result]) -> _Result:
    """Run `work` in a thread; if this task is cancelled, tell it to stop."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    except asyncio.CancelledError:
        stop.set()
        raise
