"""The files that a fetch writes: made empty, filled in any order, then verified as a whole."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ergosphere.checkpoints.errors import Corrupt, Invalid, translated
from ergosphere.checkpoints.pages import PAGE, Pages, checksum, pages_in
from ergosphere.checkpoints.recipe import FileEntry, Recipe
from ergosphere.checkpoints.writeback import begin_writeback


class RestoredFiles:
    """The files of one recipe below one directory. Pages are numbered through all files, as in the recipe.

    Writing and verifying are safe from several threads. All methods raise `StoreError`s.
    """

    def __init__(self, root: Path, recipe: Recipe) -> None:
        self._root, self._recipe = root, recipe
        counts = np.array([pages_in(file.size) for file in recipe.files], dtype=np.int64)
        self._first_page = np.cumsum(counts) - counts
        self._filled = np.flatnonzero(counts)
        self._chunk_page = np.cumsum(recipe.chunk_pages, dtype=np.int64) - recipe.chunk_pages
        self._local = threading.local()

    def create(self) -> None:
        """Make all directories, and all files with their size and no content."""
        with translated("the directory to restore into"):
            self._root.mkdir(parents=True, exist_ok=True)
            if any(self._root.iterdir()):
                raise Invalid("the directory to restore into is not empty")
            for file in self._recipe.files:
                path = self._root / file.path
                if file.kind == "directory":
                    path.mkdir(mode=0o700)
                    continue
                with path.open("xb") as made:
                    made.truncate(file.size)

    def write(self, page: int, data: memoryview) -> None:
        """Write whole pages of one file, from `page` on; what lies beyond the end of the file is padding."""
        file, offset = self._locate(page)
        with self._opened(file, os.O_WRONLY) as handle:
            rest, at = data[: file.size - offset], offset
            while rest:
                written = os.pwrite(handle, rest, at)
                rest, at = rest[written:], at + written
            begin_writeback(handle, offset, at - offset)

    def verify(self, chunk: int) -> None:
        """Compare a chunk of the files as they now are with its checksum; raises `Corrupt`."""
        file, offset = self._locate(int(self._chunk_page[chunk]))
        size = min(int(self._recipe.chunk_pages[chunk]) * PAGE, file.size - offset)
        pages = self._buffer(pages_in(size))
        content = pages.data.cast("B")
        with self._opened(file, os.O_RDONLY) as handle:
            if os.preadv(handle, [content[:size]], offset) != size:
                raise Corrupt(f"{file.path}: became shorter while it was restored")
        content[size:] = bytes(len(content) - size)
        if checksum(pages) != self._recipe.chunk_sums[chunk]:
            raise Corrupt(f"{file.path}: not what was saved, at byte {offset}")

    def finish(self) -> None:
        """Give everything its permissions, contents before the directories they are in."""
        with translated("the restored files"):
            for file in reversed(self._recipe.files):
                (self._root / file.path).chmod(file.mode)

    def _buffer(self, pages: int) -> Pages:
        """This thread's memory for one chunk; used again, as fresh memory costs more than adding it up."""
        if len(getattr(self._local, "buffer", b"")) < pages:
            self._local.buffer = np.empty((pages, PAGE), dtype=np.uint8)
        buffer: Pages = self._local.buffer[:pages]
        return buffer

    def _locate(self, page: int) -> tuple[FileEntry, int]:
        number = self._filled[np.searchsorted(self._first_page[self._filled], page, side="right") - 1]
        return self._recipe.files[number], (page - int(self._first_page[number])) * PAGE

    @contextmanager
    def _opened(self, file: FileEntry, how: int) -> Iterator[int]:
        with translated(file.path):
            handle = os.open(self._root / file.path, how | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                yield handle
            finally:
                os.close(handle)
