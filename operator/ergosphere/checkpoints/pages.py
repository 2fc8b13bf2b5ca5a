"""Pages and their fingerprints: what decides whether two pages are one."""

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

PAGE = 4096
LINE = 64  # what tensors are aligned to, wherever in a page an allocator puts them
PAGE_LINES = PAGE // LINE
_WORDS = PAGE // 8
_SLICE = 256  # pages whose words and halves stay in the second-level cache together

_WEIGHT = np.uint64(0x9E37_79B9_7F4A_7C15)

Pages = NDArray[np.uint8]
Prints = NDArray[np.uint64]
Lines = NDArray[np.int64]


class Printer:
    """Fingerprints of pages under a secret seed: 128 bits, the same for the same bytes, zero for zeros.

    A multilinear universal hash modulo 2**64, over each page's 64-bit words and over their upper halves
    (Carter and Wegman 1979; Lemire and Kaser 2014, "Strongly universal string hashing is fast"). Whatever
    two pages someone chooses without knowing the seed, they collide with a probability of at most 2**-66;
    for pages that differ in any odd word it is 2**-128. It runs at memory speed without a call per page.
    """

    def __init__(self, seed: bytes) -> None:
        stream = blake3(seed, derive_key_context="ergosphere 2026 page fingerprint").digest(4 * PAGE)
        self._words, self._halves = np.frombuffer(stream, dtype=np.uint64).reshape(2, 2, _WORDS)

    def __call__(self, pages: Pages) -> Prints:
        """One row of two words for each row of 4096 bytes."""
        words = pages.view(np.uint64)
        prints = np.empty((len(words), 2), dtype=np.uint64)
        halves = np.empty((min(len(words), _SLICE), _WORDS), dtype=np.uint64)
        for start in range(0, len(words), _SLICE):
            part = words[start : start + _SLICE]
            upper = np.right_shift(part, np.uint64(32), out=halves[: len(part)])
            here = prints[start : start + _SLICE]
            np.einsum("ij,kj->ik", part, self._words, out=here)
            here += np.einsum("ij,kj->ik", upper, self._halves)
        return prints


def checksum(pages: Pages) -> int:
    """A sum of all words, each page weighted by its place: tells whether the right pages are in place."""
    sums = pages.view(np.uint64).sum(axis=1)
    return int((sums * weights(np.arange(len(sums), dtype=np.uint64))).sum())


def weights(places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """What the sums of the pages at these places of a chunk are multiplied with in its checksum."""
    weighted: NDArray[np.uint64] = (2 * places + np.uint64(1)) * _WEIGHT
    return weighted


def cut_at_borders(first: Lines, count: Lines, step: int) -> tuple[Lines, Lines, Lines]:
    """Ranges of lines cut at each multiple of `step`: of which range each part is, its begin, its end."""
    parts = (first + count - 1) // step - first // step + 1
    of = np.repeat(np.arange(len(first)), parts)
    border = first[of] // step + np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts)
    return of, np.maximum(first[of], border * step), np.minimum((first + count)[of], (border + 1) * step)


def pages_in(size: int) -> int:
    """How many pages hold `size` bytes."""
    return -(-size // PAGE)
