"""Recipes: they come back as they were, and no bytes make one that leads astray."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints import Corrupt
from ergosphere.checkpoints.pages import PAGE_LINES
from ergosphere.checkpoints.recipe import FileEntry, PackRef, RankRef, Recipe, Runs
from ergosphere.checkpoints.resolve import resolved

PAGE = 4096
PACK = PackRef(name="0" * 32 + "-0", pages=100, size=10000, footer=100, digest="a" * 64)
TOKEN = "1" * 32


def recipe(
    files: list[FileEntry] | None = None,
    runs: list[tuple[int, int, int]] | None = None,
    chunks: list[int] | None = None,
    sources: list[PackRef | RankRef] | None = None,
) -> Recipe:
    chunks = [10] if chunks is None else chunks
    return Recipe(
        files=[FileEntry(path="pages-1.img", size=10 * PAGE, mode=0o600)] if files is None else files,
        sources=[PACK] if sources is None else sources,
        runs=in_lines([(1, 5, 10)] if runs is None else runs),
        chunk_pages=np.array(chunks, dtype=np.uint32),
        chunk_sums=np.ones(len(chunks), dtype=np.uint64),
    )


def in_lines(runs: list[tuple[int, int, int]]) -> Runs:
    """Runs of whole pages."""
    wide = np.array(runs, dtype=np.int64).reshape(-1, 3) * (1, PAGE_LINES, PAGE_LINES)
    return np.minimum(wide, 2**32 - 1).astype(np.uint32)


def file(path: str, size: int = 10 * PAGE) -> FileEntry:
    return FileEntry(path=path, size=size, mode=0o600)


def test_a_recipe_comes_back() -> None:
    whole = recipe(
        files=[FileEntry(path="d", kind="directory", mode=0o700), file("d/a", 1), file("z", 3 * PAGE)],
        runs=[(1, 7, 1), (0, 0, 2), (2, 3, 1)],
        chunks=[1, 3],
        sources=[PACK, RankRef(rank=0, token=TOKEN, pages=9)],
    )
    back = Recipe.decode(whole.encode())
    assert back.files == tuple(whole.files)
    assert back.sources == tuple(whole.sources)
    assert (back.runs == whole.runs).all()
    assert (back.chunk_pages == whole.chunk_pages).all()
    assert (back.chunk_sums == whole.chunk_sums).all()
    assert back.size == 1 + 3 * PAGE


@pytest.mark.parametrize(
    "bad",
    [
        recipe(files=[file("../escape")]),
        recipe(files=[file("/etc/passwd")]),
        recipe(files=[file("a/./b")]),
        recipe(files=[file("a\0b")]),
        recipe(files=[file("same", 5 * PAGE), file("same", 5 * PAGE)], runs=[(1, 0, 5), (1, 5, 5)]),
        recipe(files=[file("a", 5 * PAGE), file("b", 5 * PAGE)]),
        recipe(runs=[(1, 95, 10)]),
        recipe(runs=[(2, 0, 10)]),
        recipe(runs=[(1, 0, 9)]),
        recipe(runs=[(1, 0, 10), (1, 0, 0)]),
        recipe(runs=[(1, 2**32 - 1, 10)]),
        recipe(chunks=[9]),
        recipe(chunks=[]),
    ],
)
def test_a_recipe_that_does_not_add_up_is_refused(bad: Recipe) -> None:
    with pytest.raises(Corrupt):
        Recipe.decode(bad.encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Corrupt):
        Recipe.decode(data)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_any_change_is_refused_or_still_a_recipe(at: int, value: int) -> None:
    data = bytearray(recipe().encode())
    data[at % len(data)] = value
    with suppress(Corrupt):
        assert Recipe.decode(bytes(data)).runs.shape == (1, 3)


def test_pages_of_another_rank_are_taken_from_its_packs() -> None:
    other = recipe(files=[file("x", 12 * PAGE)], runs=[(1, 50, 4), (0, 0, 3), (1, 10, 5)], chunks=[12])
    mine = recipe(
        files=[file("y", 11 * PAGE)],
        runs=[(2, 2, 8), (1, 0, 1), (0, 0, 2)],
        chunks=[11],
        sources=[PACK.model_copy(update={"name": "2" * 32 + "-0"}), RankRef(rank=0, token=TOKEN, pages=12)],
    )
    found = resolved(mine, 1, lambda _: other)
    assert found.sources == [mine.sources[0], PACK]
    assert (found.runs == in_lines([(2, 52, 2), (0, 0, 3), (2, 10, 3), (1, 0, 1), (0, 0, 2)])).all()


def test_a_page_may_lie_across_the_pages_of_another_rank() -> None:
    other = recipe(files=[file("x", 3 * PAGE)], runs=[(1, 50, 1), (1, 10, 2)], chunks=[3])
    mine = recipe(
        files=[file("y", PAGE)],
        runs=[(1, 1, 1)],
        chunks=[1],
        sources=[RankRef(rank=0, token=TOKEN, pages=3)],
    )
    mine.runs[0, 1] = 7
    found = resolved(mine, 1, lambda _: other)
    assert found.runs.tolist() == [[1, 50 * 64 + 7, 57], [1, 10 * 64, 7]]


@pytest.mark.parametrize("rank", [1, 2])
def test_pages_are_taken_from_lower_ranks_alone(rank: int) -> None:
    mine = recipe(runs=[(1, 0, 10)], sources=[RankRef(rank=rank, token=TOKEN, pages=10)])
    with pytest.raises(Corrupt, match="rank 1"):
        resolved(mine, 1, lambda _: recipe())


def test_no_more_pages_are_taken_than_there_are() -> None:
    mine = recipe(runs=[(1, 5, 10)], sources=[RankRef(rank=0, token=TOKEN, pages=50)])
    with pytest.raises(Corrupt, match="more pages"):
        resolved(mine, 1, lambda _: recipe())
