"""Reading pages out of packs, neighbouring blocks at once, each verified before it is unpacked."""

from collections.abc import Iterator
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


def contents(place: Place, pack: PackRef, pieces: Pieces) -> Iterator[list[tuple[int, memoryview]]]:
    """For each piece its line in the files, and its bytes, as many as were read at once.

    Raises `Missing`, `Corrupt`, `Denied`.
    """
    if not len(pieces):
        return
    by_block = np.split(pieces, np.flatnonzero(np.diff(pieces[:, 0] // BLOCK_LINES)) + 1)
    wanted = {int(part[0, 0]) // BLOCK_LINES: part for part in by_block}
    footer = read_footer(place, pack)
    for span in _spans(sorted(wanted)):
        blocks = zip(span, _blocks(place, pack, footer, span), strict=True)
        yield [piece for block, data in blocks for piece in _cut_out(block, memoryview(data), wanted[block])]


def _cut_out(block: int, data: memoryview, pieces: Pieces) -> Iterator[tuple[int, memoryview]]:
    for line, count, target in pieces.tolist():
        start = (line - block * BLOCK_LINES) * LINE
        yield target, data[start : start + count * LINE]


def _blocks(place: Place, pack: PackRef, footer: Footer, span: list[int]) -> list[bytes]:
    """The pages of blocks that follow each other."""
    starts = footer.starts[span[0] : span[-1] + 2].tolist()
    key = place.domain.pack(pack.name)

    def read() -> list[bytes]:
        sealed = memoryview(place.blobs.get_range(key, starts[0], starts[-1] - starts[0]))
        parts = [sealed[begin - starts[0] : end - starts[0]] for begin, end in pairwise(starts)]
        return [_opened(place, pack, footer, block, part) for block, part in zip(span, parts, strict=True)]

    return place.trusted(key, read)


def _opened(place: Place, pack: PackRef, footer: Footer, block: int, sealed: memoryview) -> bytes:
    size = block_pages(pack, block) * PAGE
    data = place.codec.open(sealed, size, footer.hashes[block])
    if len(data) != size:
        raise Corrupt(f"{pack.name}: block {block} holds fewer pages than its footer says")
    return data


def _spans(blocks: list[int]) -> Iterator[list[int]]:
    span: list[int] = []
    for block in blocks:
        if span and (block != span[-1] + 1 or len(span) == _SPAN_BLOCKS):
            yield span
            span = []
        span.append(block)
    if span:
        yield span
