"""Reading images: chunk after chunk, fingerprinted and hashed on all cores, a few ahead of their use."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ergosphere.checkpoints.errors import Invalid
from ergosphere.checkpoints.images import CHUNK_PAGES, Chunk
from ergosphere.checkpoints.pages import PAGE, Pages, Printer, Prints, checksum

_AHEAD = 2  # chunks that are read while as many as there are cores are in work


@dataclass(frozen=True)
class Read:
    """A chunk that was read: its pages, the last padded, their fingerprints, and their checksum."""

    pages: Pages
    prints: Prints
    checksum: int


Inspect = Callable[[Pages], Read]


class Reader:
    """Reads the chunks of a directory in order, on all cores, a few ahead."""

    def __init__(self, cores: ThreadPoolExecutor, width: int) -> None:
        self._cores, self._ahead = cores, width + _AHEAD
        self._free: deque[Pages] = deque()

    def __call__(self, wanted: Iterable[Chunk], inspect: Inspect) -> Iterator[Read]:
        """What `inspect` makes of each chunk; its pages are valid until the next one is asked for."""
        pending: deque[tuple[Future[Read], Pages]] = deque()
        for chunk in wanted:
            buffer = self._free.pop() if self._free else np.empty((CHUNK_PAGES, PAGE), dtype=np.uint8)
            pending.append((self._cores.submit(_read, chunk, buffer, inspect), buffer))
            if len(pending) >= self._ahead:
                yield from self._next(pending)
        while pending:
            yield from self._next(pending)

    def _next(self, pending: deque[tuple[Future[Read], Pages]]) -> Iterator[Read]:
        future, buffer = pending.popleft()
        yield future.result()
        self._free.append(buffer)


def fingerprinted(printer: Printer) -> Inspect:
    """Fingerprints and checksum of what was read."""
    return lambda pages: Read(pages, printer(pages), checksum(pages))


def _read(chunk: Chunk, buffer: Pages, inspect: Inspect) -> Read:
    pages = buffer[: chunk.pages]
    content = pages.data.cast("B")[: chunk.size]
    with chunk.path.open("rb", buffering=0) as file:
        if os.preadv(file.fileno(), [content], chunk.offset) != chunk.size:
            raise Invalid(f"{chunk.path.name}: became shorter while it was stored")
    pages.data.cast("B")[chunk.size :] = bytes(chunk.pages * PAGE - chunk.size)
    return inspect(pages)
