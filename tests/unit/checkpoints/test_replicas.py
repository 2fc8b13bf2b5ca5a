"""Ranks of one checkpoint that hold the same pages: stored once, and restored from each other."""

import asyncio
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints import Refused, Store
from ergosphere.checkpoints.announce import heard
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.notes import Announced
from ergosphere.checkpoints.peers import all_peers, lower_peers
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.upload import Begun

PAGE = 4096
MODEL = list(range(1, 400))


def pages(*seeds: int) -> bytes:
    return b"".join(random.Random(seed).randbytes(PAGE) if seed else bytes(PAGE) for seed in seeds)


def replica(root: Path, rank: int, step: int = 0) -> Path:
    """A rank's images: the model that all share, somewhere else in each, and a little of its own."""
    own = [1000 + 10 * rank + number for number in range(5)]
    root.mkdir(parents=True)
    model = [seed + 5000 * step for seed in MODEL]
    (root / "pages-1.img").write_bytes(pages(0, *own[:rank], *model, *own[rank:], 0))
    return root


@pytest.mark.parametrize("together", [False, True])
async def test_what_replicas_share_is_stored_once(tmp_path: Path, together: bool) -> None:
    store = Store.open("memory://")
    roots = [replica(tmp_path / f"{rank}", rank) for rank in range(4)]
    saves = [store.save(root, "ns/job/one", rank, world=4) for rank, root in enumerate(roots)]

    saved = await asyncio.gather(*saves) if together else [await save for save in saves]
    await store.commit("ns/job/one", [one.digest for one in saved], {})

    assert sum(one.new_bytes for one in saved) < (len(MODEL) + 4 * 5 + 10) * PAGE
    for rank, root in enumerate(roots):
        await store.fetch("ns/job/one", rank, tmp_path / f"back-{rank}")
        assert (tmp_path / f"back-{rank}/pages-1.img").read_bytes() == (root / "pages-1.img").read_bytes()


async def test_what_replicas_share_is_found_wherever_it_lies_in_its_pages(tmp_path: Path) -> None:
    blobs = Bucket("memory:///", {})
    store = Store(blobs, Codec())
    tensor = random.Random(7).randbytes(300 * PAGE)
    contents = []
    for rank in range(4):
        own = random.Random(100 + rank).randbytes((10 + rank) * PAGE + 64 * (rank * 7 % 64))
        contents.append(own + tensor + bytes(-len(own) % PAGE))
        (tmp_path / f"{rank}").mkdir()
        (tmp_path / f"{rank}" / "pages-1.img").write_bytes(contents[rank])
    saved = [await store.save(tmp_path / f"{rank}", "ns/job/one", rank, world=4) for rank in range(4)]
    await store.commit("ns/job/one", [one.digest for one in saved], {})

    for rank in range(1, 4):
        assert saved[rank].new_bytes < (10 + rank) * PAGE + 0.1 * len(tensor)
        await store.fetch("ns/job/one", rank, tmp_path / f"back-{rank}")
        assert (tmp_path / f"back-{rank}/pages-1.img").read_bytes() == contents[rank]


async def test_a_later_checkpoint_builds_on_what_another_rank_stored(tmp_path: Path) -> None:
    store = Store.open("memory://")
    for name in ("one", "two", "three"):
        roots = [replica(tmp_path / name / f"{rank}", rank) for rank in range(3)]
        order = [0, 1, 2] if name == "one" else [2, 0, 1]
        saved = {rank: await store.save(roots[rank], f"ns/job/{name}", rank, world=3) for rank in order}
        await store.commit(f"ns/job/{name}", [saved[rank].digest for rank in range(3)], {})
        if name != "one":
            assert sum(one.new_bytes for one in saved.values()) < 10 * PAGE
            await store.delete(f"ns/job/{'one' if name == 'two' else 'two'}")
            await store.collect("ns")
    for rank in range(3):
        await store.fetch("ns/job/three", rank, tmp_path / f"back-{rank}")
        original = (tmp_path / "three" / f"{rank}" / "pages-1.img").read_bytes()
        assert (tmp_path / f"back-{rank}/pages-1.img").read_bytes() == original


async def test_an_upload_that_others_build_on_cannot_be_replaced(tmp_path: Path) -> None:
    blobs = Bucket("memory:///", {})
    store = Store(blobs, Codec())
    roots = [replica(tmp_path / f"{rank}", rank) for rank in range(2)]
    first = await store.save(roots[0], "ns/job/one", 0, world=2)
    second = await store.save(roots[1], "ns/job/one", 1, world=2)
    for entry in list(blobs.list(Domain("ns").uploads_of(CheckpointId.parse("ns/job/one")))):
        if "/0-" in entry.key:
            blobs.delete(entry.key)
    again = await store.save(roots[0], "ns/job/one", 0, world=2)

    assert again.digest != first.digest
    with pytest.raises(Refused, match="repeated"):
        await store.commit("ns/job/one", [again.digest, second.digest], {})


@pytest.mark.parametrize("patience", [0.0, 0.2])
def test_a_rank_that_has_not_begun_does_not_keep_others_from_being_heard(patience: float) -> None:
    place = Place(Bucket("memory:///", {}), Domain("ns"), Codec())
    checkpoint = CheckpointId.parse("ns/job/one")
    for rank in (0, 2):
        begun = Begun(place.blobs, place.domain, checkpoint, rank)
        begun.announce(Announced(pages=1, segments=()))

    found = heard(place, checkpoint, [2, 1, 0], patience, threading.Event())

    assert [note.rank for note in found] == [2, 0]


@given(st.integers(1, 5000), st.data())
def test_a_rank_has_few_peers_and_all_of_them_are_ranks(world: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, world - 1))
    lower = lower_peers(rank, world)
    assert len(lower) <= 15
    assert len(set(lower)) == len(lower)
    assert all(0 <= other < rank for other in lower)
    assert rank == 0 or 0 in lower
    if world <= 200:
        assert all(0 <= other < world for other in all_peers(rank, world))


@pytest.mark.parametrize("stride", [1, 2, 8, 64])
def test_replicas_one_stride_apart_are_peers(stride: int) -> None:
    assert all(rank - stride in lower_peers(rank, 1024) for rank in range(stride, 1024))
