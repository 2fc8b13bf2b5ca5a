"""Reading pages out of packs, neighbouring blocks at once, each verified before it is unpacked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.errors import Corrupt
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
    """Blocks of a pack that follow each other, unpacked, and the pieces that are wanted of them.

    The first column of `pieces` counts the lines of the blocks alone, laid end to end.
    """

    blocks: Sequence[bytes]
    pieces: Pieces

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        """For each piece its line in the files, and its bytes."""
        views = [memoryview(block) for block in self.blocks]
        for line, count, target in self.pieces.tolist():
            block, start = divmod(line, BLOCK_LINES)
            yield target, views[block][start * LINE : (start + count) * LINE]


def contents(place: Place, pack: PackRef, pieces: Pieces) -> Iterator[Excerpt]:
    """The pieces, sorted by their lines in the pack, as many as are read at once.

    Raises `Missing`, `Corrupt`, `Denied`.
    """
    if not len(pieces):
        return
    footer = read_footer(place, pack)
    for part in _spans(pieces):
        first, last = (part[[0, -1], 0] // BLOCK_LINES).tolist()
        yield Excerpt(_blocks(place, pack, footer, first, last), part - (first * BLOCK_LINES, 0, 0))


def _spans(pieces: Pieces) -> list[Pieces]:
    """The pieces of blocks that follow each other, of so many at most."""
    block = pieces[:, 0] // BLOCK_LINES
    begins = np.diff(block, prepend=-2) > 1
    nth = (block - block[begins][np.cumsum(begins) - 1]) // _SPAN_BLOCKS
    return np.split(pieces, np.flatnonzero(begins[1:] | (np.diff(nth) != 0)) + 1)


def _blocks(place: Place, pack: PackRef, footer: Footer, first: int, last: int) -> list[bytes]:
    starts = footer.starts[first : last + 2].tolist()
    key = place.domain.pack(pack.name)

    def read() -> list[bytes]:
        sealed = memoryview(place.blobs.get_range(key, starts[0], starts[-1] - starts[0]))
        parts = [sealed[begin - starts[0] : end - starts[0]] for begin, end in pairwise(starts)]
        return [_opened(place, pack, footer, first + nth, part) for nth, part in enumerate(parts)]

    return place.trusted(key, read)


def _opened(place: Place, pack: PackRef, footer: Footer, block: int, sealed: memoryview) -> bytes:
    size = block_pages(pack, block) * PAGE
    data = place.codec.open(sealed, size, footer.hashes[block])
    if len(data) != size:
        raise Corrupt(f"{pack.name}: block {block} holds fewer pages than its footer says")
    return data
