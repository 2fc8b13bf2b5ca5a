"""Recipes: they come back as they were, and no bytes make one that leads astray."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints import Corrupt
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.codec import Codec, digest
from ergosphere.checkpoints.manifest import Manifest, RankEntry
from ergosphere.checkpoints.pages import PAGE_LINES
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.places import Domain
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


def test_recipes_from_before_blocks_were_kept_as_numbers_are_read() -> None:
    encoded = recipe().encode()
    assert b'"version":3' in encoded
    assert Recipe.decode(encoded.replace(b'"version":3', b'"version":2')).size == recipe().size
    with pytest.raises(Corrupt, match="this version"):
        Recipe.decode(encoded.replace(b'"version":3', b'"version":4'))


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


def own(rank: int) -> PackRef:
    return PACK.model_copy(update={"name": f"{rank:032x}-0"})


def link(rank: int) -> Recipe:
    """A page of its own, and the last page of each of the two ranks below."""
    below = [
        RankRef(rank=other, token=f"{other:032x}", pages=3) for other in (rank - 1, rank - 2) if rank > 1
    ]
    return recipe(
        files=[file("x", 3 * PAGE)],
        runs=[(1, 0, 1), (3, 2, 1), (2, 2, 1)] if below else [(1, 0, 3)],
        chunks=[3],
        sources=[own(rank), *below],
    )


def stored(place: Place, rank: int) -> RankEntry:
    encoded, name = link(rank).encode(), f"{rank:032x}-recipe"
    sealed = place.codec.seal(encoded)
    place.blobs.put(place.domain.pack(name), [sealed])
    return RankEntry(
        digest=digest(sealed),
        recipe=name,
        recipe_bytes=len(encoded),
        bytes=3 * PAGE,
        new_bytes=PAGE,
        packs=(own(rank).name,),
    )


def test_ranks_take_pages_from_each_other_to_any_depth() -> None:
    place = Place(Bucket("memory:///", {}), Domain("ns"), Codec())
    ranks = tuple(stored(place, rank) for rank in range(1000))
    found = place.recipe(Manifest(id="ns/job/one", created=0.0, ranks=ranks), 999)
    assert found.sources == [own(999), own(1)]
    assert (found.runs == in_lines([(1, 0, 1), (2, 2, 1), (2, 2, 1)])).all()


def test_each_rank_is_looked_up_once_the_highest_first() -> None:
    asked: list[int] = []

    def recipe_of(ref: RankRef) -> Recipe:
        asked.append(ref.rank)
        return link(ref.rank)

    resolved(link(50), 50, recipe_of)
    assert asked == list(range(49, 0, -1))


def test_a_rank_from_which_pages_are_taken_takes_them_from_lower_ones_alone() -> None:
    between = recipe(runs=[(1, 0, 10)], sources=[RankRef(rank=2, token=TOKEN, pages=10)])
    mine = recipe(runs=[(1, 0, 10)], sources=[RankRef(rank=1, token=TOKEN, pages=10)])
    with pytest.raises(Corrupt, match="recipe of rank 1: takes pages from rank 2"):
        resolved(mine, 2, lambda _: between)


@pytest.mark.parametrize("rank", [1, 2])
def test_pages_are_taken_from_lower_ranks_alone(rank: int) -> None:
    mine = recipe(runs=[(1, 0, 10)], sources=[RankRef(rank=rank, token=TOKEN, pages=10)])
    with pytest.raises(Corrupt, match="rank 1"):
        resolved(mine, 1, lambda _: recipe())


def test_no_more_pages_are_taken_than_there_are() -> None:
    mine = recipe(runs=[(1, 5, 10)], sources=[RankRef(rank=0, token=TOKEN, pages=50)])
    with pytest.raises(Corrupt, match="more pages"):
        resolved(mine, 1, lambda _: recipe())
