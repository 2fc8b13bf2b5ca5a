"""Numbers laid apart come together again, whatever they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints.floats import exponents, laid_apart, put_together, rest_size

WIDTHS = st.sampled_from([2, 4])


@given(WIDTHS, st.integers(0, 40), st.data())
def test_laid_apart_and_put_together_again_they_are_the_same(
    width: int, count: int, data: st.DataObject
) -> None:
    block = memoryview(data.draw(st.binary(min_size=width * count, max_size=width * count)))
    highest = exponents(block, width)
    kept = laid_apart(block, width, highest)
    assert len(kept) == len(block)
    rest = rest_size(len(block), width)
    target = memoryview(bytearray(len(block)))
    put_together(target, width, kept[:rest], kept[rest:])
    assert target == block


@pytest.mark.parametrize(
    ("width", "apart"), [(4, bytes([0, 1, 4, 5, 8, 9, 2, 6, 10])), (2, bytes([0, 2, 4, 6, 8, 10]))]
)
def test_the_layout_is_the_documented_one(width: int, apart: bytes) -> None:
    block = memoryview(bytes(range(12)))
    assert exponents(block, width) == bytes(range(width - 1, 12, width))
    assert laid_apart(block, width, memoryview(b"exponents")) == apart + b"exponents"


def test_the_exponents_of_a_tensor_are_few() -> None:
    tensor = np.random.default_rng(0).standard_normal(1 << 12).astype("<f4")
    assert len(set(exponents(tensor.data.cast("B"), 4))) < 20
