"""New pages on their way into the store: how much is done to make them smaller."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.codec import Codec, Sealed
from ergosphere.checkpoints.compression import Effort
from ergosphere.checkpoints.pages import PAGE, Pages
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.writer import PackWriter

_GROUP = 1024  # pages that are sealed at once
_BLOCK = 64 * PAGE
_BLOCKS = _GROUP * PAGE // _BLOCK  # of a group
_IN_FLIGHT = 5  # groups: one is being written, three wait, and one waits to do so


class Slow(Bucket):
    """A store in memory that takes the first block of a pack, and then nothing until it is let."""

    def __init__(self) -> None:
        super().__init__("memory:///", {})
        self.let = threading.Event()
        self.sizes: list[int] = []

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        for part in parts:
            self.sizes.append(len(part))
            self.let.wait()


def tensors(groups: int) -> list[Pages]:
    numbers = np.random.default_rng(0).standard_normal((groups, _GROUP * PAGE // 4)).astype(np.float32)
    return [group.view(np.uint8).reshape(-1, PAGE) for group in numbers]


class Counting(Codec):
    """Counts the groups that it was given."""

    groups = 0

    def seal_all(self, blocks: Sequence[memoryview], effort: Effort) -> list[Sealed]:
        self.groups += 1
        return super().seal_all(blocks, effort)


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.001)


def written(thorough: bool, held_up: bool) -> list[float]:
    """The part of its size that each block takes, of tensors, whether the store is held up or keeps pace."""
    blobs, codec = Slow(), Counting()
    with ThreadPoolExecutor(1) as cores, ThreadPoolExecutor(2) as others:
        writer = PackWriter(blobs, Domain("ns"), "0" * 32, codec, thorough, cores, others)

        def append() -> None:
            for number, group in enumerate(tensors(_IN_FLIGHT)):
                writer.append(group, np.ones((_GROUP, 2), dtype=np.uint64), np.arange(_GROUP))
                taken = (number + 1) * _BLOCKS
                until(lambda: held_up or len(blobs.sizes) == taken)  # noqa: B023 - called before it changes

        if not held_up:
            blobs.let.set()
        appending = others.submit(append)
        until(lambda: codec.groups == _IN_FLIGHT)
        blobs.let.set()
        appending.result()
        writer.finish()
    return [size / _BLOCK for size in blobs.sizes[: _IN_FLIGHT * _BLOCKS]]


def test_what_follows_another_checkpoint_is_written_as_fast_as_can_be() -> None:
    assert written(thorough=False, held_up=False) == [1] * 80


def test_while_the_store_is_behind_there_is_time_to_make_pages_smaller() -> None:
    parts = written(thorough=False, held_up=True)
    assert parts[:16] == [1] * 16
    assert parts[-16:] == pytest.approx([0.84] * 16, abs=0.01)


def test_a_first_checkpoint_is_made_small_in_any_case() -> None:
    assert written(thorough=True, held_up=False) == pytest.approx([0.84] * 80, abs=0.01)
