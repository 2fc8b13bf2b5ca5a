"""Writing packs: pages in, blocks compressed on all cores, packs written while more come in."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Full as QueueFull
from queue import Queue

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.blobs import Blobs
from ergosphere.checkpoints.codec import Codec, digest
from ergosphere.checkpoints.errors import StoreError, Unavailable
from ergosphere.checkpoints.pack import BLOCK_PAGES, PACK_PAGES, Footer, footer_bytes
from ergosphere.checkpoints.pages import PAGE, Pages, Prints
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.recipe import PackRef

_Sealed = tuple[bytes, str]
_BLOCKS_QUEUED = 16


class _Pack:
    """One pack being written: blocks go in as futures, and out in order, into one upload."""

    def __init__(self, blobs: Blobs, key: str, name: str, codec: Codec, uploads: ThreadPoolExecutor) -> None:
        self._name, self._codec = name, codec
        self._prints: list[Prints] = []
        self._queue: Queue[Future[_Sealed] | None] = Queue(_BLOCKS_QUEUED)
        self._size = 0
        self._footer = (0, "")
        self.pages = 0
        self._upload = uploads.submit(blobs.put, key, self._parts())

    def add(self, block: Future[_Sealed], prints: Prints) -> None:
        self.pages += len(prints)
        self._prints.append(prints)
        self._push(block)

    def close(self) -> None:
        self._push(None)

    def abort(self) -> None:
        failed: Future[_Sealed] = Future()
        failed.set_exception(Unavailable("the upload was given up"))
        with suppress(StoreError, QueueFull):
            self._push(failed)

    def result(self) -> PackRef:
        self._upload.result()
        length, hashed = self._footer
        return PackRef(name=self._name, pages=self.pages, size=self._size, footer=length, digest=hashed)

    def _push(self, item: Future[_Sealed] | None) -> None:
        while True:
            try:
                return self._queue.put(item, timeout=0.2)
            except QueueFull:
                if self._upload.done():
                    self._upload.result()
                    raise

    def _parts(self) -> Iterator[bytes]:
        lengths, hashes = [], []
        while (block := self._queue.get()) is not None:
            sealed, hashed = block.result()
            lengths.append(len(sealed))
            hashes.append(hashed)
            yield sealed
        footer = Footer(np.concatenate(self._prints), np.array(lengths, dtype=np.uint32), hashes)
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
        cores: ThreadPoolExecutor,
        uploads: ThreadPoolExecutor,
    ) -> None:
        self._blobs, self._domain, self._token, self._codec = blobs, domain, token, codec
        self._cores, self._uploads = cores, uploads
        self._packs: list[_Pack] = []
        self._free: deque[Pages] = deque()
        self.count = 0
        self._new_block()

    def append(self, pages: Pages, prints: Prints, chosen: NDArray[np.int64]) -> None:
        """Add the chosen rows; they may be overwritten by the caller afterwards."""
        done = 0
        while done < len(chosen):
            rows = chosen[done : done + BLOCK_PAGES - self._filled]
            span = slice(self._filled, self._filled + len(rows))
            pages.take(rows, axis=0, out=self._block[span], mode="clip")  # other modes copy twice
            self._prints[span] = prints[rows]
            self._filled += len(rows)
            self.count += len(rows)
            done += len(rows)
            if self._filled == BLOCK_PAGES:
                self._flush()

    def finish(self) -> list[PackRef]:
        """Write the rest, wait for all, and name the packs. Raises what writing raised."""
        if self._filled:
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
        sealing = self._cores.submit(self._seal, self._block, self._filled)
        self._packs[-1].add(sealing, self._prints[: self._filled])
        self._new_block()

    def _open_pack(self) -> None:
        name = f"{self._token}-{len(self._packs)}"
        key = self._domain.pack(name)
        self._packs.append(_Pack(self._blobs, key, name, self._codec, self._uploads))

    def _seal(self, block: Pages, filled: int) -> _Sealed:
        sealed = self._codec.seal(block[:filled].data)
        self._free.append(block)
        return sealed, digest(sealed)

    def _new_block(self) -> None:
        self._block = self._free.pop() if self._free else np.empty((BLOCK_PAGES, PAGE), dtype=np.uint8)
        self._prints = np.empty((BLOCK_PAGES, 2), dtype=np.uint64)
        self._filled = 0
