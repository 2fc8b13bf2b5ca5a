"""Checksums of chunks, summed up as their lines come, in any order: cheaper than reading the files again."""

import threading

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.blocks import Excerpt
from ergosphere.checkpoints.pages import LINE, PAGE_LINES, Lines, cut_at_borders, weights

_LINE_WORDS = LINE // 8


class ChunkSums:
    """The checksums of chunks of so many pages each, which lie end to end. Safe to use from several threads.

    What is not added counts as zeros.
    """

    def __init__(self, chunk_pages: NDArray[np.uint32]) -> None:
        pages = chunk_pages.astype(np.int64)
        self._first_page = np.cumsum(pages) - pages
        self._sums = np.zeros(len(pages), dtype=np.uint64)
        self._lock = threading.Lock()

    def add(self, excerpt: Excerpt) -> None:
        """Add the lines of all pieces at their targets. Each target is to be added once."""
        line, count, target = excerpt.pieces.T
        of, begin, end = cut_at_borders(target, count, PAGE_LINES)
        page = begin // PAGE_LINES
        chunk = np.searchsorted(self._first_page, page, side="right") - 1
        shift = (line - target)[of]
        sums = _sums(excerpt, begin + shift, end + shift)
        sums *= weights((page - self._first_page[chunk]).astype(np.uint64))
        with self._lock:
            np.add.at(self._sums, chunk, sums)

    def differing(self, expected: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The chunks whose checksums are not the expected ones."""
        return np.flatnonzero(self._sums != expected)


def _sums(excerpt: Excerpt, begin: Lines, end: Lines) -> NDArray[np.uint64]:
    """The sums of the words of ranges of the excerpt's lines, which may overlap."""
    words = np.frombuffer(excerpt.lines, dtype=np.uint64)
    edges, place = np.unique(np.concatenate([begin, end]), return_inverse=True)
    steps = np.add.reduceat(words[: edges[-1] * _LINE_WORDS], edges[:-1] * _LINE_WORDS)
    sums: NDArray[np.uint64] = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(steps)])
    found: NDArray[np.uint64] = sums[place[len(begin) :]] - sums[place[: len(begin)]]
    return found
