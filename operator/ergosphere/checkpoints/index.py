"""Where known pages are kept: an open-addressing table in flat arrays, searched a chunk at a time."""

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.pages import Prints

Locations = NDArray[np.uint64]
NOWHERE = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_SMALLEST_BITS = 12
_EMPTY = np.uint64(0)


class PageIndex:
    """Maps fingerprints to 64-bit locations, in 24 bytes for each of at most `2**max_bits` slots.

    When more than half is in use it grows; when it may not, it keeps every second page, every fourth, and
    so on. Which ones, their fingerprints decide, so all writers keep the same. Fingerprints whose first
    word is zero are not kept.
    """

    def __init__(self, expected: int = 0, max_bits: int = 21) -> None:
        """Make an index for about `expected` pages; more cost time, not correctness."""
        self._max_bits = max_bits
        self._kept_if = np.uint64(0)
        self._reset(min(max((4 * expected).bit_length(), _SMALLEST_BITS), max_bits))

    @property
    def partial(self) -> bool:
        """Whether only some pages are kept."""
        return bool(self._kept_if)

    def find(self, prints: Prints) -> Locations:
        """The location of each fingerprint, `NOWHERE` for the unknown."""
        words = prints[:, 0]
        slots = self._first_slots(words)
        found = self._words[slots]
        pending = np.flatnonzero((found != words) & (found != _EMPTY))
        while len(pending):
            slots[pending] = self._after(slots[pending])
            found = self._words[slots[pending]]
            pending = pending[(found != words[pending]) & (found != _EMPTY)]
        known = (self._seconds[slots] == prints[:, 1]) & (self._words[slots] != _EMPTY)
        return np.where(known, self._where[slots], NOWHERE)

    def add(self, prints: Prints, locations: Locations) -> None:
        """Remember fingerprints; of those already known, the new location."""
        kept = self._choose(prints)
        while (self._used + np.count_nonzero(kept)) * 2 > 1 << self._bits:
            self._grow()
            kept = self._choose(prints)
        words, seconds, locations = prints[kept, 0], prints[kept, 1], locations[kept]
        slots = self._first_slots(words)
        while len(words):
            empty = self._words[slots] == _EMPTY
            self._words[slots[empty]] = words[empty]
            mine = self._words[slots] == words
            self._used += int(np.count_nonzero(mine & empty))
            self._seconds[slots[mine]] = seconds[mine]
            self._where[slots[mine]] = locations[mine]
            words, seconds, locations = words[~mine], seconds[~mine], locations[~mine]
            slots = self._after(slots[~mine])

    def _choose(self, prints: Prints) -> NDArray[np.bool_]:
        words = prints[:, 0]
        chosen: NDArray[np.bool_] = ((words & self._kept_if) == 0) & (words != _EMPTY)
        return chosen

    def _first_slots(self, words: Locations) -> NDArray[np.int64]:
        return (words >> np.uint64(64 - self._bits)).astype(np.int64)

    def _after(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        return (slots + 1) & ((1 << self._bits) - 1)

    def _grow(self) -> None:
        if self._bits == self._max_bits:
            self._kept_if = (self._kept_if << np.uint64(1)) | np.uint64(1)
        kept = (self._words != _EMPTY) & ((self._words & self._kept_if) == 0)
        prints = np.stack([self._words[kept], self._seconds[kept]], axis=1)
        where = self._where[kept]
        del (
            self._words,
            self._seconds,
            self._where,
        )  # most of our memory, so before the new ones
        self._reset(min(self._bits + 1, self._max_bits))
        self.add(prints, where)

    def _reset(self, bits: int) -> None:
        self._bits, self._used = bits, 0
        self._words = np.zeros(1 << bits, dtype=np.uint64)
        self._seconds = np.empty(1 << bits, dtype=np.uint64)
        self._where = np.empty(1 << bits, dtype=np.uint64)
