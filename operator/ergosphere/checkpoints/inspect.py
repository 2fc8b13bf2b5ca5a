"""What a checkpoint is made of: for each process and mapping, what is new and what is shared with whom."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints import criu
from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.fetch import read_file
from ergosphere.checkpoints.manifest import Manifest
from ergosphere.checkpoints.pages import PAGE, PAGE_LINES, pages_in
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.recipe import ZEROS, PackRef, Recipe

_OWN, _RANKS, _EARLIER = 1, 2, 3  # what a page's origin is; 0 for a page of zeros
_PAGEMAP = re.compile(r"(?:.*/)?pagemap-(\d+)\.img")


@dataclass(frozen=True)
class Shares:
    """Bytes, all of them; those stored for this rank, each once; and those found elsewhere.

    `repeated` are further copies of pages stored for this rank; what is in none of these is zeros.
    """

    size: int
    unique: int
    repeated: int
    with_previous: int
    with_ranks: int


@dataclass(frozen=True)
class MappingShares:
    """One mapping of a process."""

    start: int
    end: int
    name: str
    shares: Shares


@dataclass(frozen=True)
class ProcessShares:
    """One process, by its pid in the checkpoint. Pages of no mapping are left out."""

    pid: int
    shares: Shares
    mappings: tuple[MappingShares, ...]


@dataclass(frozen=True)
class RankShares:
    """One rank: everything in its images, and its processes."""

    rank: int
    shares: Shares
    processes: tuple[ProcessShares, ...]


def inspect(place: Place, manifest: Manifest, rank: int) -> RankShares:
    """Where the pages of one rank are kept. Raises `Missing`, `Corrupt`, `Denied`."""
    recipe = place.recipe(manifest, rank)
    pages = _Pages(manifest, rank, recipe)
    names = _file_names(place, recipe)
    processes = [
        _process(place, recipe, pages, names, file.path, int(found[1]))
        for file in recipe.files
        if (found := _PAGEMAP.fullmatch(file.path))
    ]
    return RankShares(rank, pages.shares(np.arange(pages.count)), tuple(filter(None, processes)))


class _Pages:
    """For each page of the files: where it came from, and whether an earlier page is the same."""

    def __init__(self, manifest: Manifest, rank: int, recipe: Recipe) -> None:
        others = {entry.token for entry in manifest.ranks}
        own = manifest.ranks[rank].token
        kinds = [0, *(_origin(pack, own, others) for pack in recipe.packs)]
        runs = recipe.runs.astype(np.int64)
        ends = np.cumsum(runs[:, 2])
        self.count = sum(pages_in(file.size) for file in recipe.files)
        lines = np.arange(self.count) * PAGE_LINES
        of = np.searchsorted(ends, lines, side="right")  # a page that comes in pieces counts as its first
        source, at = runs[of, 0], runs[of, 1] + lines - (ends - runs[:, 2])[of]
        self._origin = np.array(kinds)[source]
        self._spot = np.where(source == ZEROS, -1, source << 32 | at)
        borders = [0, *np.cumsum([pages_in(file.size) for file in recipe.files]).tolist()]
        self.spans = {
            file.path: range(*span) for file, span in zip(recipe.files, pairwise(borders), strict=True)
        }

    def shares(self, pages: NDArray[np.int64]) -> Shares:
        """What these pages add up to."""
        origin = self._origin[pages]
        own = origin == _OWN
        unique = len(np.unique(self._spot[pages][own]))
        return Shares(
            size=len(pages) * PAGE,
            unique=unique * PAGE,
            repeated=(int(own.sum()) - unique) * PAGE,
            with_previous=int((origin == _EARLIER).sum()) * PAGE,
            with_ranks=int((origin == _RANKS).sum()) * PAGE,
        )


def _origin(pack: PackRef, own: str, others: set[str]) -> int:
    token = pack.name.partition("-")[0]
    if token == own:
        return _OWN
    return _RANKS if token in others else _EARLIER


def _process(
    place: Place, recipe: Recipe, pages: _Pages, names: dict[int, str], path: str, pid: int
) -> ProcessShares | None:
    """The process that a page map is of; None where its pages or mappings are not among the files."""
    page_map = criu.page_map(read_file(place, recipe, path))
    folder = path.rpartition("/")[0]
    content, mm = (
        f"{folder}/{name}".lstrip("/") for name in (f"pages-{page_map.pages_id}.img", f"mm-{pid}.img")
    )
    if content not in pages.spans or mm not in pages.spans:
        return None
    span = pages.spans[content]
    addresses = _addresses(page_map, len(span), path)
    found = []
    for mapping in criu.mappings(read_file(place, recipe, mm)):
        inside = np.flatnonzero((addresses >= mapping.start) & (addresses < mapping.end))
        if len(inside):
            name = names.get(mapping.file_id or 0, mapping.kind)
            found.append(MappingShares(mapping.start, mapping.end, name, pages.shares(span.start + inside)))
    return ProcessShares(pid, pages.shares(np.arange(span.start, span.stop)), tuple(found))


def _addresses(page_map: criu.PageMap, pages: int, path: str) -> NDArray[np.uint64]:
    """The address of each page; raises `Corrupt` if they are not so many."""
    counts = [segment.pages for segment in page_map.segments]
    if sum(counts) != pages:
        raise Corrupt(f"{path}: does not describe the pages beside it")
    starts = np.array([segment.address for segment in page_map.segments], dtype=np.uint64)
    nth = np.arange(pages) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + nth.astype(np.uint64) * np.uint64(PAGE)


def _file_names(place: Place, recipe: Recipe) -> dict[int, str]:
    if not any(file.path == "files.img" for file in recipe.files):
        return {}
    return criu.file_names(read_file(place, recipe, "files.img"))
