"""Saving, committing and fetching: what comes back, what is stored, and what is refused."""

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ergosphere.checkpoints import Corrupt, Denied, Full, Invalid, Missing, Refused, Store
from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.cache import Cache
from ergosphere.checkpoints.codec import Codec

PAGE = 4096
KEY = bytes(range(32))


class Faulty(Bucket):
    """A store in memory whose writes fail after a number of them, and whose objects can be damaged."""

    def __init__(self) -> None:
        super().__init__("memory:///", {})
        self.writes_left = 1 << 30

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Full("no space left")
        super().put(key, list(parts), durable=durable)

    def stored(self) -> list[str]:
        return sorted(entry.key for entry in self.list("v1/"))

    def size(self) -> int:
        return sum(entry.size for entry in self.list("v1/") if "/packs/" in entry.key)


def pages(*seeds: int) -> bytes:
    """Incompressible pages, the same for the same seed; seed 0 is the page of zeros."""
    return b"".join(random.Random(seed).randbytes(PAGE) if seed else bytes(PAGE) for seed in seeds)


def images(root: Path, **files: bytes) -> Path:
    root.mkdir(parents=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    return root


def contents(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


async def checkpoint(store: Store, name: str, *ranks: Path) -> list[int]:
    """Save and commit; how many bytes each rank added."""
    saved = [await store.save(root, name, rank, world=len(ranks)) for rank, root in enumerate(ranks)]
    await store.commit(name, [one.digest for one in saved], {})
    return [one.new_bytes for one in saved]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["pages-1.img", "core-7.img", "deep/er/files.tar", "deep/log", "z"]),
        st.tuples(st.lists(st.integers(0, 5), max_size=600), st.binary(max_size=50)),
        max_size=5,
    )
)
async def test_what_was_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[list[int], bytes]]
) -> None:
    root = tmp_path_factory.mktemp("case")
    (root / "images" / "empty").mkdir(parents=True)
    for name, (numbers, tail) in files.items():
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / name).write_bytes(pages(*numbers) + tail)
    (root / "images" / "empty").chmod(0o500)
    store = Store.open("memory://")

    await checkpoint(store, "ns/job/one", root / "images")
    fetched = await store.fetch("ns/job/one", 0, root / "back")

    assert contents(root / "back") == contents(root / "images")
    assert (root / "back" / "empty").stat().st_mode & 0o777 == 0o500
    assert fetched.bytes == sum(PAGE * len(numbers) + len(tail) for numbers, tail in files.values())


async def test_only_pages_never_seen_are_stored(tmp_path: Path) -> None:
    store = Store.open("memory://")
    memory = list(range(1, 501))
    first = images(tmp_path / "1", pages=pages(*memory))
    moved = images(tmp_path / "2", pages=pages(0, 0, 0, 501, *memory[250:], *memory[:250], 7))

    (stored,) = await checkpoint(store, "ns/job/one", first)
    (added,) = await checkpoint(store, "ns/job/two", moved)

    assert stored > 500 * PAGE
    assert PAGE < added < 2 * PAGE


async def test_tensors_are_made_smaller_in_the_first_checkpoint_of_each_job(tmp_path: Path) -> None:
    store, chance = Store.open("memory://"), np.random.default_rng(0)
    added = {}
    for name in ("ns/one/first", "ns/other/first", "ns/other/second"):
        tensor = chance.standard_normal(1 << 18).astype(np.float32).tobytes()
        added[name] = await checkpoint(store, name, images(tmp_path / name, pages=tensor))
    part = {name: size / (1 << 20) for name, (size,) in added.items()}
    assert part["ns/one/first"] == pytest.approx(0.84, abs=0.02)
    assert part["ns/other/first"] == pytest.approx(0.84, abs=0.02)
    assert part["ns/other/second"] == pytest.approx(1, abs=0.02)


async def test_zeros_and_repetitions_cost_nothing(tmp_path: Path) -> None:
    store = Store.open("memory://")
    (stored,) = await checkpoint(
        store, "ns/job/one", images(tmp_path / "1", pages=pages(*[0] * 2000, *[1] * 2000))
    )
    assert stored < 2 * PAGE


async def test_a_checkpoint_exists_only_once_committed(tmp_path: Path) -> None:
    store = Store.open("memory://")
    root = images(tmp_path / "1", pages=pages(1))

    saved = await store.save(root, "ns/job/one", 0)
    assert not await store.list("ns", "job")
    with pytest.raises(Missing, match="no checkpoint ns/job/one"):
        await store.fetch("ns/job/one", 0, tmp_path / "back")

    manifest = await store.commit("ns/job/one", [saved.digest], {"step": "7"})
    assert await store.list("ns", "job") == [manifest]
    assert await store.commit("ns/job/one", [saved.digest], {"step": "8"}) == manifest
    with pytest.raises(Refused, match="other ranks"):
        await store.commit("ns/job/one", ["0" * 64], {})


async def test_saving_a_rank_again_gives_the_first_result(tmp_path: Path) -> None:
    store = Store.open("memory://")
    root = images(tmp_path / "1", pages=pages(1, 2, 3))
    assert await store.save(root, "ns/job/one", 0) == await store.save(root, "ns/job/one", 0)


@pytest.mark.parametrize("end", ["abandon", "delete"])
async def test_what_ended_stays_ended(tmp_path: Path, end: str) -> None:
    blobs = Faulty()
    store = Store(blobs, Codec())
    root = images(tmp_path / "1", pages=pages(1))
    saved = await store.save(root, "ns/job/one", 0)

    await getattr(store, end)("ns/job/one")

    with pytest.raises(Refused):
        await store.commit("ns/job/one", [saved.digest], {})
    with pytest.raises(Refused):
        await store.save(root, "ns/job/one", 0)
    assert (await store.collect("ns")).packs == 2
    assert blobs.size() == 0


async def test_a_commit_needs_every_rank(tmp_path: Path) -> None:
    store = Store.open("memory://")
    saved = await store.save(images(tmp_path / "1", pages=pages(1)), "ns/job/one", 0, world=2)
    with pytest.raises(Missing, match="rank 1"):
        await store.commit("ns/job/one", [saved.digest, saved.digest], {})


async def test_any_damage_is_noticed(tmp_path: Path) -> None:
    blobs = Faulty()
    store = Store(blobs, Codec())
    await checkpoint(store, "ns/job/one", images(tmp_path / "1", pages=pages(*range(300)), log=b"text"))
    for number, key in enumerate(key for key in blobs.stored() if "/packs/" in key):
        whole = blobs.get(key)
        for at in (0, len(whole) // 2, len(whole) - 30):
            blobs.put(key, [whole[:at], bytes([whole[at] ^ 1]), whole[at + 1 :]])
            with pytest.raises(Corrupt):
                await store.fetch("ns/job/one", 0, tmp_path / f"back-{number}-{at}")
        blobs.delete(key)
        with pytest.raises(Missing):
            await store.fetch("ns/job/one", 0, tmp_path / f"back-{number}-gone")
        blobs.put(key, [whole])
    await store.fetch("ns/job/one", 0, tmp_path / "back")


async def test_a_lost_checkpoint_does_not_prevent_the_next(tmp_path: Path) -> None:
    blobs = Faulty()
    store = Store(blobs, Codec())
    root = images(tmp_path / "1", pages=pages(1, 2))
    await checkpoint(store, "ns/job/one", root)
    for key in blobs.stored():
        if "/packs/" in key:
            blobs.delete(key)

    await checkpoint(store, "ns/job/two", root)

    await store.fetch("ns/job/two", 0, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(root)


async def test_wherever_space_runs_out_nothing_is_visible_and_a_retry_succeeds(tmp_path: Path) -> None:
    root = images(tmp_path / "1", pages=pages(*range(1, 100)))
    for allowed in range(4):
        blobs = Faulty()
        store = Store(blobs, Codec())
        blobs.writes_left = allowed
        with pytest.raises(Full):
            await store.save(root, "ns/job/one", 0)
        assert not await store.list("ns", "job")

        blobs.writes_left = 100
        await checkpoint(store, "ns/job/one", root)
        await store.fetch("ns/job/one", 0, tmp_path / f"back-{allowed}")
        assert contents(tmp_path / f"back-{allowed}") == contents(root)


async def test_encrypted_stores_show_nothing_and_open_only_with_their_key(tmp_path: Path) -> None:
    blobs = Faulty()
    text = b"the weights of a model " * 1000
    root = images(tmp_path / "1", pages=text)
    await checkpoint(Store(blobs, Codec(KEY)), "ns/job/one", root)

    assert not any(b"weights" in blobs.get(key) for key in blobs.stored())
    for wrong in (Codec(), Codec(KEY[::-1])):
        with pytest.raises(Denied):
            await Store(blobs, wrong).fetch("ns/job/one", 0, tmp_path / "denied")
    await Store(blobs, Codec(KEY)).fetch("ns/job/one", 0, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(root)


@pytest.mark.parametrize(("shared", "copies"), [(False, 2), (True, 1)])
async def test_namespaces_share_pages_only_when_told_to(tmp_path: Path, shared: bool, copies: int) -> None:
    blobs = Faulty()
    store = Store(blobs, Codec(), shared)
    root = images(tmp_path / "1", pages=pages(*range(1, 200)))
    await checkpoint(store, "alice/job/one", root)
    await checkpoint(store, "bob/job/one", root)
    assert round(blobs.size() / (199 * PAGE)) == copies


async def test_a_deleted_checkpoint_leaves_what_others_need(tmp_path: Path) -> None:
    blobs = Faulty()
    store = Store(blobs, Codec())
    root = images(tmp_path / "1", pages=pages(*range(1, 100)))
    await checkpoint(store, "ns/job/one", root)
    await checkpoint(store, "ns/job/two", root)

    await store.delete("ns/job/one")
    await store.collect("ns")
    await store.fetch("ns/job/two", 0, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(root)

    await store.delete("ns/job/two")
    await store.collect("ns")
    assert blobs.size() == 0


@pytest.mark.parametrize(
    "name", ["", "a", "a/b", "a/b/c/d", "a/b/", "A/b/c", "a/../c", "a/b..c/d", "a/b/c\n", "a/b/" + "x" * 254]
)
async def test_names_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid, match="checkpoint"):
        await Store.open("memory://").save(tmp_path, name, 0)


@pytest.mark.parametrize("url", ["", "/tmp/x", "file://host/x", "http://x/y", "ftp://x", "file:relative"])
def test_urls_of_no_known_kind_are_refused(url: str) -> None:
    with pytest.raises(Invalid, match="URL begins with"):
        Store.open(url)


async def test_only_files_and_directories_are_images(tmp_path: Path) -> None:
    root = images(tmp_path / "1")
    (root / "link").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="link"):
        await Store.open("memory://").save(root, "ns/job/one", 0)


async def test_nothing_is_restored_over_something(tmp_path: Path) -> None:
    store = Store.open("memory://")
    await checkpoint(store, "ns/job/one", images(tmp_path / "1", pages=pages(1)))
    with pytest.raises(Invalid, match="not empty"):
        await store.fetch("ns/job/one", 0, images(tmp_path / "full", something=b"x"))


async def test_a_restart_on_the_same_node_does_not_touch_the_store(tmp_path: Path) -> None:
    blobs = Faulty()
    store = Store(Cache(blobs, tmp_path / "cache", 1 << 30), Codec())
    root = images(tmp_path / "1", pages=pages(*range(1, 300)))
    await checkpoint(store, "ns/job/one", root)
    for key in blobs.stored():
        if "/packs/" in key:
            blobs.put(key, [b"unreadable"])

    await store.fetch("ns/job/one", 0, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(root)


async def test_what_was_fetched_once_is_kept(tmp_path: Path) -> None:
    blobs = Faulty()
    root = images(tmp_path / "1", pages=pages(*range(1, 300)))
    await checkpoint(Store(blobs, Codec()), "ns/job/one", root)
    elsewhere = Store(Cache(blobs, tmp_path / "cache", 1 << 30), Codec())
    await elsewhere.fetch("ns/job/one", 0, tmp_path / "first")
    for key in blobs.stored():
        if "/packs/" in key:
            blobs.put(key, [b"unreadable"])

    await elsewhere.fetch("ns/job/one", 0, tmp_path / "second")
    assert contents(tmp_path / "second") == contents(root)


async def test_a_damaged_cache_is_passed_by(tmp_path: Path) -> None:
    store = Store(Cache(Faulty(), tmp_path / "cache", 1 << 30), Codec())
    root = images(tmp_path / "1", pages=pages(*range(1, 300)))
    await checkpoint(store, "ns/job/one", root)
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(bytes(path.stat().st_size))

    await store.fetch("ns/job/one", 0, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(root)


async def test_a_cache_stays_within_its_limit_and_its_failure_is_no_failure(tmp_path: Path) -> None:
    limit = 1 << 20
    small = Store(Cache(Faulty(), tmp_path / "cache", limit), Codec())
    (tmp_path / "file").write_bytes(b"")
    broken = Store(Cache(Faulty(), tmp_path / "file" / "cache", limit), Codec())
    for number in range(5):
        root = images(tmp_path / f"{number}", pages=pages(*range(1 + 200 * number, 200 + 200 * number)))
        for store in (small, broken):
            await checkpoint(store, f"ns/job/c{number}", root)
        kept = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
        assert kept <= limit
        await broken.fetch(f"ns/job/c{number}", 0, tmp_path / f"back-{number}")
    assert kept > limit // 2
