"""Floating-point numbers with their highest bytes apart.

Numbers of a tensor are of much the same size, so the bytes that hold their exponents repeat a few values.
What is left of them is chance, which no compression makes smaller, and which hides the others from it
(Hershcovitch et al. 2024, "ZipNN", arXiv 2411.05239).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def exponents(block: memoryview, width: int) -> memoryview:
    """The highest byte of each little-endian number of `width` bytes, 2 or 4, in whole numbers."""
    return np.frombuffer(block, dtype=np.uint8)[width - 1 :: width].copy().data


def rest_size(size: int, width: int) -> int:
    """How many of so many bytes are not the highest of a number."""
    return size - size // width


def laid_apart(block: memoryview, width: int, exponents: memoryview) -> memoryview:
    """The other bytes, all lower halves first; and then `exponents`, as they are to be kept."""
    numbers = np.frombuffer(block, dtype=f"<u{width}")
    kept = np.empty(rest_size(len(block), width) + len(exponents), dtype=np.uint8)
    at, half = 0, width // 2
    while half:
        lower = kept[at : at + half * len(numbers)].view(f"<u{half}")
        np.copyto(lower, numbers, casting="unsafe")
        if half > 1:
            numbers = (numbers >> numbers.dtype.type(8 * half)).astype(f"<u{half}")
        at, half = at + lower.nbytes, half // 2
    kept[at:] = np.frombuffer(exponents, dtype=np.uint8)
    return kept.data


def put_together(target: memoryview, width: int, rest: memoryview, exponents: memoryview) -> None:
    """Fill `target` with the numbers whose bytes these are."""
    upper: NDArray[Any] = np.frombuffer(exponents, dtype=np.uint8)
    end, half = len(rest), 1
    while half < width:
        end -= half * len(upper)
        lower = np.frombuffer(rest, dtype=f"<u{half}", count=len(upper), offset=end)
        dtype = np.dtype(f"<u{2 * half}")
        whole = np.frombuffer(target, dtype) if 2 * half == width else np.empty(len(upper), dtype)
        np.copyto(whole, upper)
        whole <<= whole.dtype.type(8 * half)
        whole |= lower
        upper, half = whole, 2 * half
