"""Writing packs: pages in, blocks compressed on all cores, packs written while more come in."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Full as QueueFull
from queue import Queue

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.blobs import Blobs, Data
from ergosphere.checkpoints.codec import Codec, Sealed, digest
from ergosphere.checkpoints.compression import FULL, QUICK
from ergosphere.checkpoints.errors import StoreError, Unavailable
from ergosphere.checkpoints.pack import BLOCK_PAGES, PACK_PAGES, Footer, footer_bytes
from ergosphere.checkpoints.pages import Pages, Prints
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.recipe import PackRef

_Blocks = tuple[list[Sealed], list[str]]  # that follow each other, and their hashes
_GROUP_PAGES = 16 * BLOCK_PAGES  # what is sealed at once: a pack is a multiple of it
_GROUPS_QUEUED = 3
_COPIED_BELOW = 3  # fewer than this part of a chunk are copied, and the chunk let go


class _Backlog:
    """How many groups are sealed and not yet taken by the store, of all packs."""

    def __init__(self) -> None:
        self._groups, self._lock = 0, threading.Lock()

    def add(self, groups: int) -> None:
        with self._lock:
            self._groups += groups

    @property
    def full(self) -> bool:
        """Whether so many are that the store seems to be slower than the processors."""
        return self._groups >= _GROUPS_QUEUED


class _Pack:
    """One pack being written: blocks go in as futures, and out in order, into one upload."""

    def __init__(
        self,
        blobs: Blobs,
        key: str,
        name: str,
        codec: Codec,
        backlog: _Backlog,
        uploads: ThreadPoolExecutor,
    ) -> None:
        self._name, self._codec, self._backlog = name, codec, backlog
        self._prints: list[Prints] = []
        self._queue: Queue[Future[_Blocks] | None] = Queue(_GROUPS_QUEUED)
        self._size = 0
        self._footer = (0, "")
        self.pages = 0
        self._upload = uploads.submit(blobs.put, key, self._parts())

    def add(self, blocks: Future[_Blocks], prints: Prints) -> None:
        self.pages += len(prints)
        self._prints.append(prints)
        self._push(blocks)

    def close(self) -> None:
        self._push(None)

    def abort(self) -> None:
        failed: Future[_Blocks] = Future()
        failed.set_exception(Unavailable("the upload was given up"))
        with suppress(StoreError, QueueFull):
            self._push(failed)

    def result(self) -> PackRef:
        self._upload.result()
        length, hashed = self._footer
        return PackRef(name=self._name, pages=self.pages, size=self._size, footer=length, digest=hashed)

    def _push(self, item: Future[_Blocks] | None) -> None:
        while True:
            try:
                return self._queue.put(item, timeout=0.2)
            except QueueFull:
                if self._upload.done():
                    self._upload.result()
                    raise

    def _parts(self) -> Iterator[Data]:
        lengths: list[int] = []
        forms: list[int] = []
        hashes: list[str] = []
        while (blocks := self._queue.get()) is not None:
            sealed, digests = blocks.result()
            self._backlog.add(-1)
            lengths += (len(block.data) for block in sealed)
            forms += (block.form for block in sealed)
            hashes += digests
            yield from (block.data for block in sealed)
        prints = np.concatenate(self._prints)
        footer = Footer(prints, np.array(lengths, dtype=np.uint32), np.array(forms, dtype=np.uint32), hashes)
        self._prints.clear()  # the pack stays known until the save ends, and these are most of it
        end, length, hashed = footer_bytes(footer, self._codec)
        self._footer = length, hashed
        self._size = sum(lengths) + len(end)
        yield end


class PackWriter:
    """Lays new pages into packs named `<token>-<number>`, in the order they come.

    Every pack but the last is full, so page `n` is page `n % PACK_PAGES` of pack `n // PACK_PAGES`.
    """

    def __init__(
        self,
        blobs: Blobs,
        domain: Domain,
        token: str,
        codec: Codec,
        thorough: bool,
        cores: ThreadPoolExecutor,
        uploads: ThreadPoolExecutor,
    ) -> None:
        """`thorough` takes time to make pages smaller; without it that is done while the store is behind."""
        self._blobs, self._domain, self._token, self._codec = blobs, domain, token, codec
        self._thorough, self._backlog = thorough, _Backlog()
        self._cores, self._uploads = cores, uploads
        self._packs: list[_Pack] = []
        self._parts: list[Pages] = []
        self._prints: list[Prints] = []
        self._held = 0
        self.count = 0

    def append(self, pages: Pages, prints: Prints, chosen: NDArray[np.int64]) -> None:
        """Add the chosen rows, in their order; they must not change until `finish`."""
        for rows in np.split(chosen, range(_GROUP_PAGES - self._held, len(chosen), _GROUP_PAGES)):
            self._parts.append(_picked(pages, rows))
            self._prints.append(prints[rows])
            self._held += len(rows)
            self.count += len(rows)
            if self._held == _GROUP_PAGES:
                self._flush()

    def finish(self) -> list[PackRef]:
        """Write the rest, wait for all, and name the packs. Raises what writing raised."""
        if self._held:
            self._flush()
        if self._packs:
            self._packs[-1].close()
        return [pack.result() for pack in self._packs]

    def abort(self) -> None:
        """End the pack that is open, so that nothing of it appears."""
        if self._packs:
            self._packs[-1].abort()

    def _flush(self) -> None:
        if not self._packs or self._packs[-1].pages == PACK_PAGES:
            if self._packs:
                self._packs[-1].close()
            self._open_pack()
        sealing = self._cores.submit(self._seal, self._parts)
        self._packs[-1].add(sealing, np.concatenate(self._prints))
        self._parts, self._prints, self._held = [], [], 0

    def _open_pack(self) -> None:
        name = f"{self._token}-{len(self._packs)}"
        key = self._domain.pack(name)
        self._packs.append(_Pack(self._blobs, key, name, self._codec, self._backlog, self._uploads))

    def _seal(self, parts: list[Pages]) -> _Blocks:
        effort = FULL if self._thorough or self._backlog.full else QUICK
        sealed = self._codec.seal_all([block.data.cast("B") for block in _blocks(parts)], effort)
        digests = [digest(block.data) for block in sealed]
        self._backlog.add(1)
        return sealed, digests


def _blocks(parts: list[Pages]) -> Iterator[Pages]:
    """The parts' pages in blocks, copied where a block comes from several parts."""
    held, count = list[Pages](), 0
    for part in parts:
        for piece in np.split(part, range(BLOCK_PAGES - count, len(part), BLOCK_PAGES)):
            held.append(piece)
            count += len(piece)
            if count == BLOCK_PAGES:
                yield held[0] if len(held) == 1 else np.concatenate(held)
                held, count = [], 0
    if held:
        yield np.concatenate(held)


def _picked(pages: Pages, rows: NDArray[np.int64]) -> Pages:
    """These rows; not copied if they follow each other and are much of what keeps them in memory."""
    begin, end = rows[0], rows[-1] + 1
    if end - begin == len(rows) and len(rows) * _COPIED_BELOW >= len(pages):
        return pages[begin:end]
    return pages[rows]
