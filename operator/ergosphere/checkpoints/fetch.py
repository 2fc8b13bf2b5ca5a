"""Fetching one rank: blocks read, verified, unpacked and written on all cores."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from ergosphere.checkpoints.blocks import BLOCK_LINES, Pieces, contents, desk
from ergosphere.checkpoints.cores import width
from ergosphere.checkpoints.errors import Invalid, Missing, Unavailable
from ergosphere.checkpoints.manifest import Manifest
from ergosphere.checkpoints.pages import LINE, PAGE, PAGE_LINES, cut_at_borders, pages_in
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.recipe import ZEROS, PackRef, Recipe
from ergosphere.checkpoints.restored import RestoredFiles

_SMALL_FILE = 64 << 20
_PORTION_BLOCKS = 32  # 8 MiB


def fetch(place: Place, manifest: Manifest, rank: int, destination: Path, stop: threading.Event) -> int:
    """Write one rank's files into `destination`, a new or empty directory; return their size in bytes.

    Every byte is verified twice: as stored, before it is unpacked, and as what was written where.
    Ends with `Unavailable` soon after `stop` is set.
    """
    recipe = place.recipe(manifest, rank)
    files = RestoredFiles(destination, recipe)
    files.create()
    portions, desks = list(_portions(recipe)), _Desks()

    def fill(number: int) -> None:
        for read in contents(place, *portions[number], desks.own):
            if stop.is_set():
                raise Unavailable("fetching was cancelled")
            files.write(read)

    _on_threads(fill, range(len(portions)), stop)
    files.verify()
    files.finish()
    return recipe.size


def read_file(place: Place, recipe: Recipe, path: str) -> bytes:
    """The content of one small file of a recipe that names packs alone, verified as stored.

    Raises `Missing`, `Corrupt`, and `Invalid` for a file above 64 MiB.
    """
    begin = 0
    for file in recipe.files:
        if file.path == path:
            break
        begin += pages_in(file.size) * PAGE_LINES
    else:
        raise Missing(f"{path}: no such file in the checkpoint")
    if file.size > _SMALL_FILE:
        raise Invalid(f"{path}: larger than {_SMALL_FILE >> 20} MiB")
    content, own = bytearray(pages_in(file.size) * PAGE), desk()
    end = begin + pages_in(file.size) * PAGE_LINES
    for pack, pieces in zip(recipe.packs, _pieces(recipe), strict=True):
        wanted = pieces[(pieces[:, 2] >= begin) & (pieces[:, 2] < end)]
        for target, data in chain.from_iterable(contents(place, pack, wanted, own)):
            at = (target - begin) * LINE
            content[at : at + len(data)] = data
    return bytes(content[: file.size])


class _Desks(threading.local):
    """One for each thread."""

    def __init__(self) -> None:
        self.own = desk()


def _on_threads(work: Callable[[int], None], numbers: range, stop: threading.Event) -> None:
    """Do `work` for all numbers; at the first failure set `stop`, and raise it when all have ended."""
    with ThreadPoolExecutor(width() + 1) as threads:
        futures = [threads.submit(work, number) for number in numbers]
        done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
        failed = [future for future in done if future.exception()]
        if failed:
            stop.set()
            for future in waiting:
                future.cancel()
    for future in failed:
        future.result()


def _portions(recipe: Recipe) -> Iterator[tuple[PackRef, Pieces]]:
    """What is wanted from each pack, in portions so small that no thread is at work for long alone."""
    for pack, pieces in zip(recipe.packs, _pieces(recipe), strict=True):
        portion = pieces[:, 0] // (_PORTION_BLOCKS * BLOCK_LINES)
        for part in np.split(pieces, np.flatnonzero(np.diff(portion)) + 1):
            yield pack, part


def _pieces(recipe: Recipe) -> list[Pieces]:
    """For each source what is wanted from it, in the order it lies there."""
    runs = recipe.runs.astype(np.int64)
    target = np.cumsum(runs[:, 2]) - runs[:, 2]
    packed = runs[:, 0] != ZEROS
    source, first, count, target = runs[packed, 0], runs[packed, 1], runs[packed, 2], target[packed]
    run, begin, end = cut_at_borders(first, count, BLOCK_LINES)
    order = np.lexsort((begin, source[run]))
    pieces = np.stack([begin, end - begin, (target - first)[run] + begin], axis=1)[order]
    borders = np.searchsorted(source[run][order], range(1, len(recipe.sources) + 2))
    return [pieces[begin:end] for begin, end in pairwise(borders)]
