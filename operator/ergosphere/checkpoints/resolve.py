"""Resolving a recipe: pages that it takes from other ranks, taken from the packs where those have them."""

from collections.abc import Callable
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.recipe import ZEROS, PackRef, RankRef, Recipe, Runs

# Rows of (source, first line there, number of lines, first line in the files).
_Lines = NDArray[np.int64]


def resolved(recipe: Recipe, rank: int, recipe_of: Callable[[RankRef], Recipe]) -> Recipe:
    """The same files from packs alone; `recipe_of` gives the recipes of lower ranks, as they are stored.

    It is asked for the highest first, once for each that lines are wanted from, and one at a time is kept.
    Raises `Corrupt` when a recipe takes pages from a rank that is not lower, or that has fewer.
    """
    if not recipe.ranks:
        return recipe
    taken = _Taken()
    taken.add(recipe, rank, _lines(recipe.runs))
    while taken.ranks:
        # Ranks take from lower ones alone, so nobody comes to want more of the highest.
        highest = max(taken.ranks, key=attrgetter("rank"))
        wanted = np.concatenate(taken.ranks.pop(highest))
        other = recipe_of(highest)
        taken.add(other, highest.rank, _within(other.runs, wanted))
    return Recipe(recipe.files, list(taken.packs), taken.runs(), recipe.chunk_pages, recipe.chunk_sums)


class _Taken:
    """Lines of the files by what they are taken from: numbered packs, and `ranks` yet to be resolved."""

    def __init__(self) -> None:
        self.packs: dict[PackRef, int] = {}
        self.ranks: dict[RankRef, list[_Lines]] = {}
        self._found: list[_Lines] = []

    def add(self, recipe: Recipe, rank: int, lines: _Lines) -> None:
        """Lines whose sources are numbered as in `recipe`, which is that of `rank`."""
        numbers = np.full(len(recipe.sources) + 1, -1)
        numbers[ZEROS] = ZEROS
        for number in np.unique(lines[lines[:, 0] != ZEROS, 0]).tolist():
            source = recipe.sources[number - 1]
            if isinstance(source, PackRef):
                numbers[number] = self.packs.setdefault(source, len(self.packs) + 1)
                continue
            if source.rank >= rank:
                raise Corrupt(f"recipe of rank {rank}: takes pages from rank {source.rank}")
            self.ranks.setdefault(source, []).append(lines[lines[:, 0] == number])
        renumbered = np.column_stack([numbers[lines[:, 0]], lines[:, 1:]])
        self._found.append(renumbered[renumbered[:, 0] >= 0])

    def runs(self) -> Runs:
        """All that was found, in the order of the files."""
        found = np.concatenate(self._found)
        return found[np.argsort(found[:, 3]), :3].astype(np.uint32)


def _lines(runs: Runs) -> _Lines:
    wide = runs.astype(np.int64)
    return np.column_stack([wide, np.cumsum(wide[:, 2]) - wide[:, 2]])


def _within(runs: Runs, wanted: _Lines) -> _Lines:
    """What `runs` have at the lines that `wanted` names, for the same lines in the files."""
    ends = np.cumsum(runs[:, 2], dtype=np.int64)
    begins = ends - runs[:, 2]
    first = wanted[:, 1]
    last = first + wanted[:, 2]
    if len(last) and last.max() > (ends[-1] if len(ends) else 0):
        raise Corrupt("recipe: takes more pages from another rank than it has")
    low = np.searchsorted(ends, first, side="right")
    pieces = np.searchsorted(begins, last, side="left") - low
    origin = np.repeat(np.arange(len(wanted)), pieces)
    at = low[origin] + np.arange(len(origin)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begin = np.maximum(begins[at], first[origin])
    count = np.minimum(ends[at], last[origin]) - begin
    page = np.where(runs[at, 0] == ZEROS, 0, runs[at, 1] + begin - begins[at])
    target = wanted[origin, 3] + begin - first[origin]
    return np.stack([runs[at, 0], page, count, target], axis=1).astype(np.int64)
