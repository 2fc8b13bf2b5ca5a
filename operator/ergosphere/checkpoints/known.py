"""What is stored already, page by page: a source, and the fingerprints of its pages, loaded in pieces."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.errors import Corrupt, Denied, Missing
from ergosphere.checkpoints.index import NOWHERE, Locations
from ergosphere.checkpoints.pages import Prints
from ergosphere.checkpoints.recipe import Source

LOST = (Missing, Corrupt, Denied)
_LOADED = 24  # pieces kept in memory, of up to 1 MiB


@dataclass(frozen=True)
class Known:
    """A source whose pages need not be stored again. `load` gives the fingerprints of its nth piece.

    All pieces but the last have `piece_pages` pages. `load` may raise `StoreError`s.
    """

    source: Source
    piece_pages: int
    load: Callable[[int], Prints]

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return -(-self.source.pages // self.piece_pages)


class Neighbours:
    """Looks for pages right behind and before others that were found.

    A tensor that two ranks share is a long run of pages in both, so where the index could keep only some
    of the pages, one of them found leads to the rest. Each page is compared by its own fingerprint.
    """

    def __init__(self, known: list[Known]) -> None:
        self._known = known
        self._piece = lru_cache(_LOADED)(self._load)

    def extend(self, prints: Prints, where: Locations, before: np.uint64) -> Locations:
        """`where` with as many `NOWHERE`s replaced as possible; `before` is that of the page before these."""
        ahead = self._extended(prints, where, before, 1)
        return self._extended(prints[::-1], ahead[::-1], NOWHERE, -1)[::-1]

    def _extended(self, prints: Prints, where: Locations, before: np.uint64, step: int) -> Locations:
        rows = np.arange(len(where))
        anchor = np.maximum.accumulate(np.where(where != NOWHERE, rows, -1))
        start = np.where(anchor >= 0, where[anchor], before)
        guess = start.astype(np.int64) + step * (rows - anchor)
        unknown = np.flatnonzero((where == NOWHERE) & (start != NOWHERE))
        right = unknown[self._matches(prints[unknown], guess[unknown])]
        extended = where.copy()
        extended[right] = guess[right].astype(np.uint64)
        return extended

    def _matches(self, prints: Prints, guess: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which fingerprints are those at the guessed locations."""
        source, page = guess >> 32, guess & 0xFFFF_FFFF
        right = np.zeros(len(guess), dtype=bool)
        for number in np.unique(source[(source > 0) & (source <= len(self._known))]).tolist():
            known = self._known[number - 1]
            inside = (source == number) & (page < known.source.pages)
            for nth in np.unique(page[inside] // known.piece_pages).tolist():
                rows = np.flatnonzero(inside & (page // known.piece_pages == nth))
                there = self._piece(number - 1, nth)[page[rows] - nth * known.piece_pages]
                right[rows] = (there == prints[rows]).all(axis=1)
        return right

    def _load(self, number: int, nth: int) -> Prints:
        known = self._known[number]
        try:
            return known.load(nth)
        except LOST:  # a page that cannot be compared is stored again
            pages = min(known.piece_pages, known.source.pages - nth * known.piece_pages)
            return np.zeros((pages, 2), dtype=np.uint64)
