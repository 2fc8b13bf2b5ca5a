"""A spool: what one reading of the images found out, kept in a file so that it need not fit in memory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ergosphere.checkpoints.pages import Prints


class Spool:
    """Fingerprints and checksums of chunks, in order, in an unnamed file."""

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed by `close`
        self._checksums: list[int] = []
        self.pages = 0

    def append(self, prints: Prints, checksum: int) -> None:
        """Add a chunk."""
        self._file.write(prints.tobytes())
        self._checksums.append(checksum)
        self.pages += len(prints)

    def segments(self, pages: int) -> Iterator[bytes]:
        """All fingerprints again, as bytes, those of `pages` pages at a time."""
        self._file.seek(0)
        while data := self._file.read(16 * pages):
            yield data

    def chunks(self, lengths: Iterator[int]) -> Iterator[tuple[Prints, int]]:
        """Each chunk's fingerprints and checksum again, given how many pages each has."""
        self._file.seek(0)
        for length, checksum in zip(lengths, self._checksums, strict=True):
            data = self._file.read(16 * length)
            yield np.frombuffer(data, dtype=np.uint64).reshape(-1, 2), checksum

    def close(self) -> None:
        """Give the file's space back."""
        self._file.close()
