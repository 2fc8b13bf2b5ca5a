"""Resolving a recipe: pages that it takes from other ranks, taken from the packs where those have them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.recipe import ZEROS, PackRef, RankRef, Recipe, Runs, Source


def resolved(recipe: Recipe, rank: int, resolved_of: Callable[[RankRef], Recipe]) -> Recipe:
    """The same files from packs alone; `resolved_of` gives the resolved recipes of lower ranks.

    Raises `Corrupt` when the recipe takes pages from a rank that is not lower, or that has fewer.
    """
    if not recipe.ranks:
        return recipe
    sources: dict[Source, int] = {pack: number for number, pack in enumerate(recipe.packs, 1)}
    parts: list[Runs] = []
    for number, source in enumerate(recipe.sources, 1):
        rows = np.flatnonzero(recipe.runs[:, 0] == number)
        if isinstance(source, PackRef):
            parts.append(_renumbered(recipe.runs[rows], {number: sources[source]}, rows))
            continue
        if source.rank >= rank:
            raise Corrupt(f"recipe of rank {rank}: takes pages from rank {source.rank}")
        other = resolved_of(source)
        numbers = {at: sources.setdefault(pack, len(sources) + 1) for at, pack in enumerate(other.packs, 1)}
        found, origin = _within(other.runs, recipe.runs[rows])
        parts.append(_renumbered(found, numbers, rows[origin]))
    rows = np.flatnonzero(recipe.runs[:, 0] == ZEROS)
    parts.append(_renumbered(recipe.runs[rows], {}, rows))
    joined = np.concatenate(parts)
    ordered = joined[np.argsort(joined[:, 3], kind="stable")][:, :3]
    return Recipe(recipe.files, list(sources), ordered, recipe.chunk_pages, recipe.chunk_sums)


def _renumbered(runs: Runs, numbers: dict[int, int], rows: NDArray[np.int64]) -> Runs:
    """The runs with new numbers of their sources, and the row each belongs to as a fourth column."""
    table = np.zeros(max(numbers, default=0) + 1, dtype=np.uint32)
    table[list(numbers)] = list(numbers.values())
    return np.column_stack([table[runs[:, 0]], runs[:, 1:], rows]).astype(np.uint32)


def _within(runs: Runs, wanted: Runs) -> tuple[Runs, NDArray[np.int64]]:
    """What `runs` have at the pages that `wanted` names, in its order; and which wanted run each is for."""
    ends = np.cumsum(runs[:, 2], dtype=np.int64)
    begins = ends - runs[:, 2]
    first = wanted[:, 1].astype(np.int64)
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
    return np.stack([runs[at, 0], page, count], axis=1).astype(np.uint32), origin
