"""Stretches: what they find is there, and they find the same memory wherever it lies in its pages."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ergosphere.checkpoints.index import NOWHERE
from ergosphere.checkpoints.pages import LINE, PAGE, PAGE_LINES, Pages
from ergosphere.checkpoints.stretches import StretchIndex, stretches

SEED = bytes(range(32))


def pages(content: bytes) -> Pages:
    padded = content + bytes(-len(content) % PAGE)
    return np.frombuffer(padded, dtype=np.uint8).reshape(-1, PAGE)


def found(source: bytes, own: bytes) -> dict[int, int]:
    """For each page of `own` that is found in `source`: at which line."""
    index = StretchIndex()
    index.add(1, stretches(pages(source), SEED))
    chunk = pages(own)
    places = index.find(stretches(chunk, SEED), len(chunk))
    assert ((places == NOWHERE) | (places >> np.uint64(32) == 1)).all()
    return {page: int(place) & 0xFFFF_FFFF for page, place in enumerate(places) if place != NOWHERE}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from("rzc"), min_size=1, max_size=12),
    shift=st.data(),
)
def test_what_is_found_is_there(seed: int, kinds: list[str], shift: st.DataObject) -> None:
    choice = random.Random(seed)
    parts = {"r": choice.randbytes(40 * PAGE), "z": bytes(20 * PAGE), "c": choice.randbytes(LINE) * 640}
    source = b"".join(parts[kind] for kind in kinds)
    begin = shift.draw(st.integers(0, len(source) // LINE - 1)) * LINE
    own = choice.randbytes(choice.randrange(500) * LINE) + source[begin:] + choice.randbytes(3 * PAGE)
    chunk = pages(own)
    for page, line in found(source, own).items():
        assert source[line * LINE : line * LINE + PAGE] == chunk[page].tobytes()


@pytest.mark.parametrize("lines", [0, 1, 7, 63])
def test_memory_that_was_moved_by_lines_is_found(lines: int) -> None:
    source = random.Random(1).randbytes(500 * PAGE)
    own = random.Random(2).randbytes(lines * LINE) + source
    places = found(source, own)
    assert len(places) > 470  # but for the edges
    assert {line - page * PAGE_LINES for page, line in places.items()} == {-lines}


@pytest.mark.parametrize("own", [bytes(100 * PAGE), b"constant" * 512 * 100], ids=["zeros", "constant"])
def test_memory_without_landmarks_has_no_stretches(own: bytes) -> None:
    assert len(stretches(pages(own), SEED)) == 0
