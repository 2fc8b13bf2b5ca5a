"""The files that a fetch writes: made empty, filled in any order, and what was written verified."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ergosphere.checkpoints.blocks import Excerpt
from ergosphere.checkpoints.errors import Corrupt, Invalid, translated
from ergosphere.checkpoints.pages import LINE, PAGE_LINES, pages_in
from ergosphere.checkpoints.recipe import FileEntry, Recipe
from ergosphere.checkpoints.sums import ChunkSums
from ergosphere.checkpoints.writeback import WRITTEN_AT_ONCE, begin_writeback, cut, write_all

_MOST_PARTS = 512  # of one write; the system allows twice as many


class RestoredFiles:
    """The files of one recipe below one directory. Lines are numbered through all files, as in the recipe.

    Writing is safe from several threads. All methods raise `StoreError`s.
    """

    def __init__(self, root: Path, recipe: Recipe) -> None:
        self._root, self._recipe = root, recipe
        counts = np.array([pages_in(file.size) for file in recipe.files], dtype=np.int64)
        self._first_line = (np.cumsum(counts) - counts) * PAGE_LINES
        self._filled = np.flatnonzero(counts)
        self._sums = ChunkSums(recipe.chunk_pages)
        self._begins = frozenset(self._first_line.tolist())
        # The system lets one thread at a time write to a file, and the others would spin until it has.
        self._writing = threading.Lock()

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

    def write(self, excerpt: Excerpt) -> None:
        """Write whole lines, each piece into one file; what lies beyond the end of the file is padding.

        Pieces that follow each other are written at once.
        """
        self._sums.add(excerpt)
        for line, parts in self._joined(excerpt):
            file, offset = self._locate(line)
            if offset >= file.size:
                continue
            with self._opened(file, os.O_WRONLY) as handle:
                within = cut(parts, 0, file.size - offset)
                with self._writing:
                    written = write_all(handle, within, offset)
                begin_writeback(handle, offset, written)

    def verify(self) -> None:
        """Compare what was written with the recipe's checksums; raises `Corrupt`."""
        for chunk in self._sums.differing(self._recipe.chunk_sums):
            first_page = self._recipe.chunk_pages[:chunk].sum(dtype=np.int64)
            file, offset = self._locate(int(first_page) * PAGE_LINES)
            raise Corrupt(f"{file.path}: not what was saved, at byte {offset}")

    def finish(self) -> None:
        """Give everything its permissions, contents before the directories they are in."""
        with translated("the restored files"):
            for file in reversed(self._recipe.files):
                (self._root / file.path).chmod(file.mode)

    def _joined(self, excerpt: Excerpt) -> Iterator[tuple[int, list[memoryview]]]:
        first, parts, size = 0, list[memoryview](), 0
        for line, data in excerpt:
            follows = line == first + size // LINE and line not in self._begins
            if not follows or size >= WRITTEN_AT_ONCE or len(parts) == _MOST_PARTS:
                if parts:
                    yield first, parts
                first, parts, size = line, [], 0
            parts.append(data)
            size += len(data)
        if parts:
            yield first, parts

    def _locate(self, line: int) -> tuple[FileEntry, int]:
        number = self._filled[np.searchsorted(self._first_line[self._filled], line, side="right") - 1]
        return self._recipe.files[number], (line - int(self._first_line[number])) * LINE

    @contextmanager
    def _opened(self, file: FileEntry, how: int) -> Iterator[int]:
        with translated(file.path):
            handle = os.open(self._root / file.path, how | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                yield handle
            finally:
                os.close(handle)
