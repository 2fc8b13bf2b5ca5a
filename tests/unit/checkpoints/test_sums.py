"""Checksums summed up from lines in any order: those of the chunks that the lines make."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints.blocks import Excerpt
from ergosphere.checkpoints.pages import LINE, PAGE_LINES, Pages, checksum
from ergosphere.checkpoints.sums import ChunkSums


def excerpt(lines: int, pieces: list[tuple[int, int, int]], seed: int = 0) -> Excerpt:
    """Random lines, and rows of (first line, number of lines, target) that are wanted of them."""
    content = memoryview(random.Random(seed).randbytes(lines * LINE))
    return Excerpt(content, np.array(pieces, dtype=np.int64).reshape(-1, 3))


@st.composite
def excerpts(draw: st.DrawFn) -> Excerpt:
    """Pieces of some pages, in order, some of them more than once; their targets lie end to end."""
    lines = PAGE_LINES * draw(st.integers(1, 9))
    ranges = []
    for _ in range(draw(st.integers(1, 8))):
        first = draw(st.integers(0, lines - 1))
        ranges.append((first, draw(st.integers(1, lines - first))))
    order = draw(st.permutations(range(len(ranges))))
    counts = np.array([ranges[place][1] for place in order])
    target = dict(zip(order, (np.cumsum(counts) - counts).tolist(), strict=True))
    pieces = [(first, count, target[place]) for place, (first, count) in enumerate(ranges)]
    return excerpt(lines, sorted(pieces), draw(st.integers(0, 99)))


def written(read: Excerpt) -> Pages:
    """The pages that the pieces make at their targets."""
    made = bytearray(-(-int(read.pieces[:, 1].sum()) // PAGE_LINES) * PAGE_LINES * LINE)
    for target, data in read:
        made[target * LINE : target * LINE + len(data)] = data
    return np.frombuffer(made, dtype=np.uint8).reshape(-1, PAGE_LINES * LINE)


def differing(chunks: list[Pages], *read: Excerpt) -> list[int]:
    """The chunks that the excerpts do not make."""
    sums = ChunkSums(np.array([len(chunk) for chunk in chunks], dtype=np.uint32))
    for each in read:
        sums.add(each)
    return sums.differing(np.array([checksum(chunk) for chunk in chunks], dtype=np.uint64)).tolist()


@given(excerpts(), st.integers(1, 5))
def test_the_sums_are_those_of_the_chunks(read: Excerpt, chunk_pages: int) -> None:
    pages = written(read)
    chunks = np.split(pages, range(chunk_pages, len(pages), chunk_pages))
    assert differing(chunks, read) == []
    assert differing(chunks, *(Excerpt(read.lines, piece[None]) for piece in read.pieces)) == []


def test_pages_in_each_others_places_are_noticed() -> None:
    right = excerpt(192, [(0, 64, 0), (64, 64, 64), (128, 64, 128)])
    chunks = np.split(written(right), [1])
    assert differing(chunks, excerpt(192, [(0, 64, 0), (64, 64, 128), (128, 64, 64)])) == [1]
    assert differing(chunks, excerpt(192, [(64, 64, 64), (128, 64, 128)])) == [0]
