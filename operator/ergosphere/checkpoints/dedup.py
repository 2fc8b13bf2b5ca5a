"""Deduplication: for each page, whether it is stored already, and where it is or goes."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.index import NOWHERE, Locations, PageIndex
from ergosphere.checkpoints.known import Known, Neighbours
from ergosphere.checkpoints.pack import PACK_PAGES
from ergosphere.checkpoints.pages import PAGE_LINES, Pages, Prints
from ergosphere.checkpoints.recipe import ZEROS, PackRef, Runs, Source
from ergosphere.checkpoints.stretches import Stretches, StretchIndex
from ergosphere.checkpoints.writer import PackWriter

_SOURCE = np.uint64(0xFFFF_FFFF_0000_0000)


class Deduplicator:
    """Decides for each page whether it is stored already, and if not, where it goes."""

    def __init__(self, writer: PackWriter, index: PageIndex) -> None:
        self._index = index
        self._known: list[Known] = []
        self._neighbours = Neighbours(self._known)
        self._last = NOWHERE
        self._stretches = StretchIndex()
        self._writer = writer

    def learn(self, known: Known, prints: Iterable[Prints]) -> None:
        """These pages, with all their fingerprints in order, need not be stored again.

        All sources are learnt before the first page is placed; of two that have a page the later is used.
        """
        self._known.append(known)
        page = 0
        for part in prints:
            pages = np.arange(page, page + len(part), dtype=np.uint64)
            self._index.add(part, (np.uint64(len(self._known)) << np.uint64(32)) | pages)
            page += len(part)

    def learn_stretches(self, known: Stretches) -> None:
        """The source that was learnt last has these stretches, by the lines that they begin at there."""
        self._stretches.add(len(self._known), known)

    def place(self, pages: Pages, prints: Prints, stretches: Stretches) -> Runs:
        """The runs of a chunk's pages, sources numbered as `sources` lists them; new pages are written."""
        zero: NDArray[np.bool_] = (prints[:, 0] | prints[:, 1]) == 0
        where = _in_lines(self._find(prints, ~zero))
        lost = (where == NOWHERE) & ~zero
        if lost.any() and len(stretches):
            where[lost] = self._stretches.find(stretches, len(pages))[lost]
        fresh = np.flatnonzero((where == NOWHERE) & ~zero)
        if len(fresh):
            first, origin = _distinct(prints[fresh])
            chosen = fresh[first]
            numbers = self._writer.count + np.arange(len(chosen), dtype=np.uint64)
            self._writer.append(pages, prints, chosen)
            base = np.uint64(len(self._known) + 1)
            spots = ((base + numbers // PACK_PAGES) << np.uint64(32)) | (numbers % PACK_PAGES)
            self._index.add(prints[chosen], spots)
            where[fresh] = _in_lines(spots)[origin]
        where[zero] = ZEROS
        return _runs(where)

    def _find(self, prints: Prints, wanted: NDArray[np.bool_]) -> Locations:
        where = self._index.find(prints)
        if self._index.partial and wanted.any():
            where[wanted] = self._neighbours.extend(prints[wanted], where[wanted], self._last)
            self._last = where[wanted][-1]
        return where

    def sources(self, written: list[PackRef]) -> list[Source]:
        """What the runs' sources are, from 1 on."""
        return [*(known.source for known in self._known), *written]


def _distinct(prints: Prints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each distinct fingerprint, in order; and for each row the number of its first."""
    rows, ordered = np.arange(len(prints)), np.sort(prints[:, 0])
    if (ordered[1:] != ordered[:-1]).all():
        return rows, rows
    _, first, inverse = np.unique(prints[:, 0], return_index=True, return_inverse=True)
    if (prints[first[inverse], 1] != prints[:, 1]).any():
        return rows, rows
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]


def _in_lines(where: Locations) -> Locations:
    """Places of pages as places of their first lines."""
    lines = (where & _SOURCE) | ((where & ~_SOURCE) * np.uint64(PAGE_LINES))
    return np.where(where == NOWHERE, NOWHERE, lines)


def _runs(where: Locations) -> Runs:
    """Runs of lines, from the places of the pages' first lines."""
    sources = where >> np.uint64(32)
    follows = where[1:] == where[:-1] + np.uint64(PAGE_LINES)
    follows |= (sources[1:] == ZEROS) & (sources[:-1] == ZEROS)
    starts = np.concatenate([[0], np.flatnonzero(~follows) + 1])
    counts = np.diff(starts, append=len(where)) * PAGE_LINES
    return np.stack([sources[starts], where[starts] & np.uint64(0xFFFF_FFFF), counts], axis=1).astype(
        np.uint32
    )
