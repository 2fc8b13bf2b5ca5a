"""Reading pages out of packs, neighbouring blocks at once, each verified before it is unpacked."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.codec import Sealed
from ergosphere.checkpoints.compression import Form
from ergosphere.checkpoints.pack import BLOCK_PAGES, Footer, block_pages, decode_footer, footer_span
from ergosphere.checkpoints.pages import LINE, PAGE, PAGE_LINES
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.recipe import PackRef

_SPAN_BLOCKS = 16  # what is read at once: at most 4 MiB

BLOCK_LINES = BLOCK_PAGES * PAGE_LINES

# Rows of (line in the pack, number of lines, line in the files); none goes over the end of a block.
Pieces = NDArray[np.int64]


def read_footer(place: Place, pack: PackRef) -> Footer:
    """The footer of `pack`, verified; raises `Missing`, `Corrupt`, `Denied`."""
    key = place.domain.pack(pack.name)

    def read() -> Footer:
        return decode_footer(pack, place.blobs.get_range(key, *footer_span(pack)), place.codec)

    return place.trusted(key, read)


@dataclass(frozen=True)
class Excerpt:
    """Lines of a pack that follow each other, and the pieces that are wanted of them.

    The first column of `pieces` counts these lines alone.
    """

    lines: memoryview
    pieces: Pieces

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        """For each piece its line in the files, and its bytes."""
        for line, count, target in self.pieces.tolist():
            yield target, self.lines[line * LINE : (line + count) * LINE]


def desk() -> memoryview:
    """Memory for `contents` to unpack into."""
    return memoryview(bytearray(_SPAN_BLOCKS * BLOCK_PAGES * PAGE))


def contents(place: Place, pack: PackRef, pieces: Pieces, desk: memoryview) -> Iterator[Excerpt]:
    """The pieces, sorted by their lines in the pack, as many as are read at once.

    Each excerpt lies on the `desk` until the next one is asked for. Raises `Missing`, `Corrupt`, `Denied`.
    """
    if not len(pieces):
        return
    footer = read_footer(place, pack)
    for part in _spans(pieces):
        first, last = (part[[0, -1], 0] // BLOCK_LINES).tolist()
        lines = _unpacked(place, pack, footer, range(first, last + 1), desk)
        yield Excerpt(lines, part - (first * BLOCK_LINES, 0, 0))


def _spans(pieces: Pieces) -> list[Pieces]:
    """The pieces of blocks that follow each other, of so many at most."""
    block = pieces[:, 0] // BLOCK_LINES
    begins = np.diff(block, prepend=-2) > 1
    nth = (block - block[begins][np.cumsum(begins) - 1]) // _SPAN_BLOCKS
    return np.split(pieces, np.flatnonzero(begins[1:] | (np.diff(nth) != 0)) + 1)


def _unpacked(place: Place, pack: PackRef, footer: Footer, blocks: range, desk: memoryview) -> memoryview:
    starts = footer.starts[blocks.start : blocks.stop + 1].tolist()
    forms = footer.forms[blocks.start : blocks.stop].tolist()
    key = place.domain.pack(pack.name)
    pages = (blocks.stop - blocks.start - 1) * BLOCK_PAGES + block_pages(pack, blocks[-1])

    def read() -> memoryview:
        stored = memoryview(place.blobs.get_range(key, starts[0], starts[-1] - starts[0]))
        lines = desk[: pages * PAGE]
        for nth, (begin, end) in enumerate(pairwise(starts)):
            block = Sealed(stored[begin - starts[0] : end - starts[0]], Form(forms[nth]))
            target = lines[nth * BLOCK_PAGES * PAGE : (nth + 1) * BLOCK_PAGES * PAGE]
            place.codec.open_into(target, block, footer.hashes[blocks[nth]])
        return lines

    return place.trusted(key, read)
