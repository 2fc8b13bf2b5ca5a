"""Stretches: pieces of memory cut where their own content says so, however it lies in its pages.

An allocator may put the same tensor at another place of a page in each rank, so that no page of one is a
page of the other. Cut by content, both come in the same stretches (Muthitacharoen et al., SOSP 2001: LBFS).
"""

from itertools import pairwise

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from ergosphere.checkpoints.index import NOWHERE, Locations, PageIndex
from ergosphere.checkpoints.pages import LINE, PAGE_LINES, Pages

Stretches = NDArray[np.uint64]  # rows of (first line, number of lines, two words of a keyed hash)
NONE: Stretches = np.empty((0, 4), dtype=np.uint64)

_WORDS = LINE // 8
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)
_ANCHOR_SHIFT = np.uint64(64 - 8)  # one line in 256 begins a stretch: 16 KiB on average
_SHORTEST = 32  # lines
_INDEX_BITS = 19


def stretches(pages: Pages, seed: bytes) -> Stretches:
    """The stretches of a chunk, but for what lies before its first and after its last border.

    Lines are those of the chunk. `seed` has 32 bytes.
    """
    borders = _borders(pages.view(np.uint64)[:, ::_WORDS].ravel())
    content = pages.data.cast("B")
    found = np.empty((max(0, len(borders) - 1), 4), dtype=np.uint64)
    for row, (begin, end) in zip(found, pairwise(borders), strict=True):
        hashed = blake3(content[begin * LINE : end * LINE], key=seed).digest(16)
        row[:2] = begin, end - begin
        row[2:] = np.frombuffer(hashed, dtype=np.uint64)
    return found


def _borders(heads: NDArray[np.uint64]) -> list[int]:
    """The lines that begin a stretch, by their first words; a repeated word is no landmark."""
    anchors = (heads * _SPREAD) >> _ANCHOR_SHIFT == 0
    anchors[1:] &= heads[1:] != heads[:-1]
    anchors &= heads != 0
    borders: list[int] = []
    for line in np.flatnonzero(anchors).tolist():
        if not borders or line >= borders[-1] + _SHORTEST:
            borders.append(line)
    return borders


class StretchIndex:
    """Where known stretches are. It holds those of 4 GiB of memory; of more, every second, and so on."""

    def __init__(self) -> None:
        self._index = PageIndex(max_bits=_INDEX_BITS)

    def add(self, source: int, known: Stretches) -> None:
        """Learn the stretches of a source, with the lines that they begin at there."""
        self._index.add(known[:, 2:], (np.uint64(source) << np.uint64(32)) | known[:, 0])

    def find(self, own: Stretches, pages: int) -> Locations:
        """For each of a chunk's pages the place of its first line, if known stretches cover all of it."""
        where = self._index.find(own[:, 2:])
        known = where != NOWHERE
        shifts = where[known] - own[known, 0]
        lines = np.full(pages * PAGE_LINES, NOWHERE, dtype=np.uint64)
        for begin, count, shift in zip(*own[known, :2].T.tolist(), shifts, strict=True):
            lines[begin : begin + count] = shift
        by_page = lines.reshape(pages, PAGE_LINES)
        shift = by_page[:, 0]
        covered = (by_page == by_page[:, :1]).all(axis=1) & (shift != NOWHERE)
        return np.where(covered, shift + np.arange(pages, dtype=np.uint64) * np.uint64(PAGE_LINES), NOWHERE)
