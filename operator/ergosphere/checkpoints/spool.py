"""A spool: what one reading of the images found out, kept in files so that it need not fit in memory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from ergosphere.checkpoints.pages import PAGE_LINES, Prints
from ergosphere.checkpoints.stretches import Stretches

PRINT_BYTES, STRETCH_BYTES = 16, 32


class Spool:
    """Fingerprints, checksums and stretches of chunks, in order, in unnamed files."""

    def __init__(self, directory: Path) -> None:
        self._prints: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed by `close`
        self._stretches: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed by `close`
        self._chunks: list[tuple[int, int, int]] = []
        self.pages = 0

    def append(self, prints: Prints, checksum: int, stretches: Stretches) -> None:
        """Add a chunk."""
        self._prints.write(prints.tobytes())
        self._stretches.write((stretches + _from(self.pages)).tobytes())
        self._chunks.append((len(prints), checksum, len(stretches)))
        self.pages += len(prints)

    def prints(self, pages: int) -> Iterator[bytes]:
        """All fingerprints again, as bytes, those of `pages` pages at a time."""
        return _pieces(self._prints, PRINT_BYTES * pages)

    def stretches(self, number: int) -> Iterator[bytes]:
        """All stretches again, as bytes, so many at a time, with lines numbered through all chunks."""
        return _pieces(self._stretches, STRETCH_BYTES * number)

    def chunks(self) -> Iterator[tuple[Prints, int, Stretches]]:
        """What was added, again."""
        self._prints.seek(0)
        self._stretches.seek(0)
        page = 0
        for pages, checksum, number in self._chunks:
            prints = np.frombuffer(self._prints.read(PRINT_BYTES * pages), dtype=np.uint64)
            found = np.frombuffer(self._stretches.read(STRETCH_BYTES * number), dtype=np.uint64)
            yield prints.reshape(-1, 2), checksum, found.reshape(-1, 4) - _from(page)
            page += pages

    def close(self) -> None:
        """Give the files' space back."""
        self._prints.close()
        self._stretches.close()


def _from(page: int) -> Stretches:
    return np.array([page * PAGE_LINES, 0, 0, 0], dtype=np.uint64)


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    file.seek(0)
    while data := file.read(size):
        yield data
