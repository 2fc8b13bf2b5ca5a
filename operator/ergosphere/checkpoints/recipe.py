"""A recipe: how to make one rank's files from pages in packs. `docs/checkpoint-format.md` has the layout."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.manifest import PACK_NAME, UPLOAD_NAME
from ergosphere.checkpoints.pages import PAGE_LINES, pages_in

ZEROS = 0  # the source of zero pages; source n > 0 is sources[n - 1]
_HEADER = struct.Struct("<I")
_SHA = r"^[0-9a-f]{64}$"

Runs = NDArray[np.uint32]  # rows of (source, first line there, number of lines); none crosses a file's end


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackRef(_Part):
    """A pack: its name, pages, stored bytes, and the length and hash of the footer at its end."""

    name: str = Field(pattern=PACK_NAME)
    pages: int = Field(gt=0, lt=1 << 20)
    size: int = Field(gt=0)
    footer: int = Field(gt=0, lt=1 << 26)
    digest: str = Field(pattern=_SHA)


class RankRef(_Part):
    """The lines of a lower rank of the same checkpoint, numbered as in the recipe of its upload `token`."""

    rank: int = Field(ge=0)
    token: str = Field(pattern=UPLOAD_NAME)
    pages: int = Field(gt=0, lt=1 << 26)


Source = PackRef | RankRef


class FileEntry(_Part):
    """A file or directory below the images' root; `mode` is its permission bits."""

    path: str = Field(min_length=1, max_length=4096)
    kind: Literal["file", "directory"] = "file"
    size: int = Field(default=0, ge=0, lt=1 << 48)
    mode: int = Field(ge=0, le=0o7777)


class Header(_Part):
    """The part of a recipe that is JSON."""

    version: Literal[2, 3] = 3  # 2: no block was kept as numbers
    files: tuple[FileEntry, ...]
    sources: tuple[Source, ...]
    runs: int = Field(ge=0)
    chunks: int = Field(ge=0)


@dataclass(frozen=True)
class Recipe:
    """Files laid end to end, each padded to whole pages; `runs` say where the lines of these are, in order.

    The same pages are cut into chunks of `chunk_pages`, none across files; `chunk_sums` are checksums of
    the chunks, which check the restored files.
    """

    files: Sequence[FileEntry]
    sources: Sequence[Source]
    runs: Runs
    chunk_pages: NDArray[np.uint32]
    chunk_sums: NDArray[np.uint64]

    @property
    def size(self) -> int:
        """The size of the files."""
        return sum(file.size for file in self.files)

    @property
    def packs(self) -> list[PackRef]:
        """The packs among the sources."""
        return [source for source in self.sources if isinstance(source, PackRef)]

    @property
    def ranks(self) -> list[RankRef]:
        """The other ranks among the sources."""
        return [source for source in self.sources if isinstance(source, RankRef)]

    def encode(self) -> bytes:
        """The recipe as bytes."""
        header = Header(
            files=tuple(self.files),
            sources=tuple(self.sources),
            runs=len(self.runs),
            chunks=len(self.chunk_pages),
        )
        text = header.model_dump_json().encode()
        columns = np.ascontiguousarray(self.runs.T, dtype="<u4")
        return b"".join(
            [
                _HEADER.pack(len(text)),
                text,
                columns.tobytes(),
                self.chunk_pages.astype("<u4").tobytes(),
                self.chunk_sums.astype("<u8").tobytes(),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "Recipe":
        """The recipe in `data`, checked to be consistent in itself; raises `Corrupt`."""
        try:
            recipe = _decode(data)
        except (ValidationError, ValueError, struct.error) as error:
            raise Corrupt(f"not a recipe this version understands ({type(error).__name__})") from error
        _check(recipe)
        return recipe


def _decode(data: bytes) -> Recipe:
    (length,) = _HEADER.unpack_from(data)
    start = _HEADER.size + length
    header = Header.model_validate_json(data[_HEADER.size : start])
    split = start + 12 * header.runs
    sums = split + 4 * header.chunks
    if len(data) != sums + 8 * header.chunks:
        raise ValueError("length")
    return Recipe(
        files=header.files,
        sources=header.sources,
        runs=np.frombuffer(data[start:split], dtype="<u4").reshape(3, -1).T,
        chunk_pages=np.frombuffer(data[split:sums], dtype="<u4"),
        chunk_sums=np.frombuffer(data[sums:], dtype="<u8"),
    )


def _check(recipe: Recipe) -> None:
    total = sum(pages_in(file.size) for file in recipe.files)
    sources, first, count = (column.astype(np.int64) for column in recipe.runs.T)
    lines = np.array([0, *(source.pages for source in recipe.sources)]) * PAGE_LINES
    if count.sum() != total * PAGE_LINES or recipe.chunk_pages.sum(dtype=np.int64) != total:
        raise Corrupt("recipe: runs or chunks do not cover the files")
    if (sources > len(recipe.sources)).any() or (count == 0).any():
        raise Corrupt("recipe: a run is empty or has no source")
    packed = sources != ZEROS
    if (first + count > lines[np.minimum(sources, len(recipe.sources))])[packed].any():
        raise Corrupt("recipe: a run ends beyond its source")
    ends = np.cumsum([pages_in(file.size) for file in recipe.files]) * PAGE_LINES
    if not np.isin(ends[ends > 0], np.cumsum(count)).all():
        raise Corrupt("recipe: a run goes over the end of a file")
    for file in recipe.files:
        parts = file.path.split("/")
        if "" in parts or "." in parts or ".." in parts or "\0" in file.path:
            raise Corrupt("recipe: a path leads outside of the images")
    if len({file.path for file in recipe.files}) != len(recipe.files):
        raise Corrupt("recipe: two files have one path")
