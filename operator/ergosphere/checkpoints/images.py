"""The files of a checkpoint's images, and the chunks they are read in."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ergosphere.checkpoints.errors import Invalid
from ergosphere.checkpoints.pages import PAGE, pages_in
from ergosphere.checkpoints.recipe import FileEntry

CHUNK_PAGES = 2048  # fewer, and what each of them takes of the interpreter is felt


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one file: whole pages, but for the last of the file."""

    path: Path
    offset: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages it fills."""
        return pages_in(self.size)


def survey(root: Path) -> tuple[FileEntry, ...]:
    """The files and directories below `root`, sorted by path; raises `Invalid` for any other kind of file."""
    return tuple(sorted(_entries(root, ""), key=lambda entry: entry.path))


def _entries(folder: Path, prefix: str) -> Iterator[FileEntry]:
    with os.scandir(folder) as found:
        for item in found:
            stat = item.stat(follow_symlinks=False)
            path, mode = prefix + item.name, stat.st_mode & 0o7777
            if item.is_dir(follow_symlinks=False):
                yield FileEntry(path=path, kind="directory", mode=mode)
                yield from _entries(Path(item.path), f"{path}/")
            elif item.is_file(follow_symlinks=False):
                yield FileEntry(path=path, size=stat.st_size, mode=mode)
            else:
                raise Invalid(f"{path}: images are files and directories, nothing else")


def chunks(root: Path, files: tuple[FileEntry, ...]) -> Iterator[Chunk]:
    """All files in pieces, in order."""
    step = CHUNK_PAGES * PAGE
    for file in files:
        for offset in range(0, file.size, step):
            yield Chunk(root / file.path, offset, min(step, file.size - offset))
