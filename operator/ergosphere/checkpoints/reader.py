"""Reading images: chunk after chunk, fingerprinted and hashed on all cores, a few ahead of their use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ergosphere.checkpoints.errors import Invalid
from ergosphere.checkpoints.images import Chunk
from ergosphere.checkpoints.mapped import mapped
from ergosphere.checkpoints.pages import Pages, Printer, Prints, checksum
from ergosphere.checkpoints.stretches import NONE, Stretches, stretches

_AHEAD = 2  # chunks that are read beyond one for each core
_MOST_AHEAD = 6  # in all, of 8 MiB each


@dataclass(frozen=True)
class Read:
    """A chunk that was read: its pages, the last padded, their fingerprints and checksum, and its stretches.

    The pages may be the file itself, mapped: they cannot be written to, and are unmapped with the last use.
    """

    pages: Pages
    prints: Prints
    checksum: int
    stretches: Stretches


Inspect = Callable[[Pages], Read]


class Reader:
    """Reads the chunks of a directory in order, on all cores, a few ahead."""

    def __init__(self, cores: ThreadPoolExecutor, width: int) -> None:
        self._cores, self._ahead = cores, min(width + _AHEAD, _MOST_AHEAD)

    def __call__(self, wanted: Iterable[Chunk], inspect: Inspect) -> Iterator[Read]:
        """What `inspect` makes of each chunk."""
        pending: deque[Future[Read]] = deque()
        for chunk in wanted:
            pending.append(self._cores.submit(_read, chunk, inspect))
            if len(pending) >= self._ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def fingerprinted(printer: Printer) -> Inspect:
    """Fingerprints and checksum of what was read."""
    return lambda pages: Read(pages, printer(pages), checksum(pages), NONE)


def cut(printer: Printer, seed: bytes) -> Inspect:
    """Fingerprints, checksum and stretches of what was read."""
    return lambda pages: Read(pages, printer(pages), checksum(pages), stretches(pages, seed))


def _read(chunk: Chunk, inspect: Inspect) -> Read:
    with chunk.path.open("rb", buffering=0) as file:
        pages = mapped(file.fileno(), chunk.offset, chunk.size)
    if pages is None:
        raise Invalid(f"{chunk.path.name}: became shorter while it was stored")
    return inspect(pages)
