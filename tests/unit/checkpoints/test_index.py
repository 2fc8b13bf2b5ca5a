"""The index of pages against a dictionary, and what it finds when it may not keep everything."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints import Store
from ergosphere.checkpoints import save as saving
from ergosphere.checkpoints.index import NOWHERE, PageIndex
from ergosphere.checkpoints.pages import PAGE, Printer

words = st.integers(0, 2**64 - 1)


def rows(prints: list[tuple[int, int]]) -> "np.typing.NDArray[np.uint64]":
    return np.array(prints, dtype=np.uint64).reshape(-1, 2)


@given(st.lists(st.lists(st.tuples(st.sampled_from([1, 2, 3, 2**63, 7 << 52]) | words, words), max_size=40)))
def test_the_index_is_a_dictionary(batches: list[list[tuple[int, int]]]) -> None:
    index, expected = PageIndex(), {}
    for number, batch in enumerate(batches):
        distinct = list({first: (first, second) for first, second in batch if first}.values())
        index.add(rows(distinct), np.arange(len(distinct), dtype=np.uint64) + np.uint64(1000 * number))
        expected.update({one[0]: (one[1], 1000 * number + position) for position, one in enumerate(distinct)})
    asked = rows([one for batch in batches for one in batch])
    found = index.find(asked).tolist()
    for (first, second), where in zip(asked.tolist(), found, strict=True):
        known = expected.get(first)
        assert where == (known[1] if known and known[0] == second else int(NOWHERE))


def test_an_index_that_is_full_keeps_a_fraction() -> None:
    index = PageIndex(max_bits=12)
    prints = np.random.default_rng(1).integers(1, 2**64, (20000, 2), dtype=np.uint64)
    index.add(prints, np.arange(20000, dtype=np.uint64))
    found = index.find(prints)
    kept = found != NOWHERE
    assert index.partial
    assert 1000 < kept.sum() <= 2048
    assert (found[kept] == np.flatnonzero(kept)).all()


@given(st.binary(min_size=1, max_size=8), st.integers(0, PAGE - 8), st.integers(0, 7))
def test_fingerprints_tell_pages_apart(change: bytes, at: int, bit: int) -> None:
    print_of = Printer(bytes(32))
    pages = np.frombuffer(random.Random(1).randbytes(2 * PAGE), dtype=np.uint8).reshape(2, PAGE).copy()
    pages[1] = pages[0]
    assert (print_of(pages)[0] == print_of(pages)[1]).all()
    pages[1, at] ^= 1 << bit
    assert (print_of(pages)[0] != print_of(pages)[1]).all()
    assert not print_of(np.zeros((1, PAGE), dtype=np.uint8)).any()
    assert (Printer(b"x" * 32)(pages) != print_of(pages)).all()


@pytest.mark.parametrize("world", [1, 2])
async def test_long_runs_are_found_although_the_index_kept_few_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: int
) -> None:
    monkeypatch.setattr(saving, "PageIndex", lambda expected: PageIndex(expected, max_bits=12))
    content = random.Random(1).randbytes(20000 * PAGE)
    moved = bytes(PAGE) + content[9000 * PAGE :] + bytes(3 * PAGE) + content[: 9000 * PAGE]
    for rank, data in enumerate((content, moved)):
        (tmp_path / f"{rank}").mkdir()
        (tmp_path / f"{rank}" / "pages-1.img").write_bytes(data)
    store = Store.open("memory://")

    first = await store.save(tmp_path / "0", "ns/job/one", 0, world=world)
    if world == 1:
        await store.commit("ns/job/one", [first.digest], {})
        second = await store.save(tmp_path / "1", "ns/job/two", 0)
        await store.commit("ns/job/two", [second.digest], {})
        await store.fetch("ns/job/two", 0, tmp_path / "back")
    else:
        second = await store.save(tmp_path / "1", "ns/job/one", 1, world=2)
        await store.commit("ns/job/one", [first.digest, second.digest], {})
        await store.fetch("ns/job/one", 1, tmp_path / "back")

    assert second.new_bytes < first.new_bytes // 100
    assert (tmp_path / "back" / "pages-1.img").read_bytes() == moved
