"""The store on a directory and on a real S3 server: the same promises, and what faults become."""

import asyncio
import errno
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.store.conftest import BUCKET, Gateway
from tests.integration.store.proxy import Verdict, proxy

from ergosphere.checkpoints import Corrupt, Denied, Invalid, Missing, Store, StoreError, Unavailable
from ergosphere.checkpoints.blobs import Blobs
from ergosphere.checkpoints.bucket import Bucket
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.collect import UPLOAD_LIFE, collect
from ergosphere.checkpoints.commit import abandon
from ergosphere.checkpoints.directory import Directory
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.places import Domain, unfinished
from ergosphere.checkpoints.upload import Begun

PAGE = 4096


def images(root: Path, seed: int, size: int = 9000) -> Path:
    root.mkdir(parents=True)
    (root / "pages-1.img").write_bytes(random.Random(seed).randbytes(size * PAGE) + bytes(50 * PAGE))
    (root / "core-1.img").write_bytes(b"core")
    return root


@pytest.fixture(params=["directory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "directory":
        return Directory(tmp_path / "store")
    gateway: Gateway = request.getfixturevalue("gateway")
    return Bucket(f"s3://{BUCKET}/{tmp_path.name}", gateway.options())


async def test_checkpoints_live_and_die(blobs: Blobs, tmp_path: Path) -> None:
    store = Store(blobs, Codec())
    roots = [images(tmp_path / f"{rank}", 1) for rank in range(2)]
    for name in ("one", "two"):
        saves = [store.save(root, f"ns/job/{name}", rank, world=2) for rank, root in enumerate(roots)]
        saved = await asyncio.gather(*saves)
        manifest = await store.commit(f"ns/job/{name}", [one.digest for one in saved], {"step": name})
        assert await store.commit(f"ns/job/{name}", [one.digest for one in saved], {}) == manifest
    assert [one.meta["step"] for one in await store.list("ns", "job")] == ["one", "two"]
    assert sum(entry.size for entry in blobs.list("v1/")) < 9300 * PAGE

    await store.delete("ns/job/one")
    await store.collect("ns")
    await store.fetch("ns/job/two", 1, tmp_path / "back")
    for file in ("pages-1.img", "core-1.img"):
        assert (tmp_path / "back" / file).read_bytes() == (roots[1] / file).read_bytes()

    await store.delete("ns/job/two")
    await store.collect("ns")
    assert not list(blobs.list("v1/ns/packs/"))


def test_of_many_creators_one_succeeds(blobs: Blobs) -> None:
    assert blobs.create("v1/ns/thing", b"first")
    assert not blobs.create("v1/ns/thing", b"second")
    assert blobs.get("v1/ns/thing") == b"first"


def test_what_is_not_there(blobs: Blobs) -> None:
    with pytest.raises(Missing):
        blobs.get("v1/ns/nothing")
    with pytest.raises(Missing):
        blobs.get_range("v1/ns/nothing", 0, 1)
    blobs.delete("v1/ns/nothing")
    assert not list(blobs.list("v1/other/"))


def test_objects_are_whole_or_not_there(blobs: Blobs) -> None:
    blobs.put("v1/ns/empty", [])
    blobs.put("v1/ns/parts", [b"a" * 3, b"", memoryview(b"b" * 4)])
    assert blobs.get("v1/ns/empty") == b""
    assert blobs.get("v1/ns/parts") == b"aaabbbb"
    assert bytes(blobs.get_range("v1/ns/parts", 2, 2)) == b"ab"
    with pytest.raises(Corrupt):
        blobs.get_range("v1/ns/parts", 5, 3)
    assert {entry.key: entry.size for entry in blobs.list("v1/ns/")} == {"v1/ns/empty": 0, "v1/ns/parts": 7}

    def breaking() -> object:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises((ZeroDivisionError, StoreError)):
        blobs.put("v1/ns/broken", breaking())  # type: ignore[arg-type]
    with pytest.raises(Missing):
        blobs.get("v1/ns/broken")


def test_parts_of_any_number_and_size_are_joined(blobs: Blobs) -> None:
    parts = [bytes([number % 251]) * (number * 37 % 9000) for number in range(1500)]
    blobs.put("v1/ns/many", parts)
    assert blobs.get("v1/ns/many") == b"".join(parts)


def test_a_directory_that_may_not_be_written_to_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"not a directory")
    with pytest.raises(Unavailable, match="Not a directory"):
        Directory(tmp_path / "store").put("v1/ns/x", [b"data"])


def test_what_killed_writers_leave_is_collected_once_nothing_can_come_of_it(tmp_path: Path) -> None:
    directory, domain, now = Directory(tmp_path), Domain("tenant"), time.time()
    begun = Begun(directory, domain, CheckpointId("tenant", "job", "first"), 0)
    pack, note = (
        unfinished(key) + ".left"
        for key in (
            domain.pack(f"{begun.token}-0"),
            domain.upload(CheckpointId("tenant", "job", "second"), 0, "0" * 32),
        )
    )
    for left in (pack, note):
        (tmp_path / left).write_bytes(b"half")
    list(collect(directory, domain, now))
    assert {entry.key for entry in directory.list(domain.unfinished)} == {pack, note}
    abandon(directory, domain, begun.checkpoint)
    list(collect(directory, domain, now))
    assert [entry.key for entry in directory.list(domain.unfinished)] == [note]
    list(collect(directory, domain, now + UPLOAD_LIFE + 60))
    assert not list(directory.list(domain.unfinished))


def test_a_writer_whose_upload_is_over_finds_its_file_gone(tmp_path: Path) -> None:
    directory, domain = Directory(tmp_path), Domain("tenant")

    def parts() -> Iterator[bytes]:
        yield b"data"
        list(collect(directory, domain, time.time()))

    with pytest.raises(Missing):
        directory.put(domain.pack("0" * 32 + "-0"), parts())
    assert not list(directory.list("v1/"))


@pytest.mark.parametrize(
    ("number", "error"), [(errno.EIO, Unavailable), (errno.ESTALE, Unavailable), (errno.EACCES, Denied)]
)
async def test_a_directory_that_cannot_be_read_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[StoreError]
) -> None:
    store = Store(Directory(tmp_path / "store"), Codec())
    saved = await store.save(images(tmp_path / "images", 1, 10), "ns/job/one", 0)
    await store.commit("ns/job/one", [saved.digest], {})
    scan = os.scandir

    def failing(path: Path) -> object:
        if Path(path).name == "job":
            raise OSError(number, os.strerror(number))
        return scan(path)

    with monkeypatch.context() as broken:
        broken.setattr(os, "scandir", failing)
        with pytest.raises(error, match=os.strerror(number)):
            await store.collect("ns")

    await store.fetch("ns/job/one", 0, tmp_path / "back")


async def test_a_wrong_secret_is_denied_and_not_told(gateway: Gateway, tmp_path: Path) -> None:
    options = gateway.options(secret="not-the-secret-at-all")
    store = Store.open(f"s3://{BUCKET}/x", options=options)
    with pytest.raises(Denied) as denied:
        await store.save(images(tmp_path / "images", 1, 10), "ns/job/one", 0)
    assert "not-the-secret" not in str(denied.value)
    assert gateway.access not in str(denied.value)


async def test_a_bucket_that_is_not_there(gateway: Gateway, tmp_path: Path) -> None:
    store = Store.open("s3://no-such-bucket/x", options=gateway.options())
    with pytest.raises(Missing):
        await store.save(images(tmp_path / "images", 1, 10), "ns/job/one", 0)


def test_an_option_that_the_backend_does_not_know() -> None:
    with pytest.raises(Invalid, match="Secret"):
        Store.open(f"s3://{BUCKET}/x", options={"acess_key": "misspelt"})


@pytest.mark.parametrize(
    "judge",
    [
        lambda number, method, path: 503 if number % 3 == 0 else None,
        lambda number, method, path: 500 if number % 4 == 1 else None,
        lambda number, method, path: 429 if number % 5 == 2 else None,
        lambda number, method, path: 0 if number % 5 == 3 else None,
    ],
    ids=["throttled", "failing", "too many requests", "cut off"],
)
async def test_a_backend_that_fails_now_and_then_is_asked_again(
    gateway: Gateway, tmp_path: Path, judge: Callable[[int, str, str], Verdict]
) -> None:
    root = images(tmp_path / "images", 2, 3000)
    with proxy(gateway.port, judge) as between:
        store = Store.open(f"s3://{BUCKET}/{tmp_path.name}", options=gateway.options(between.port))
        saved = await store.save(root, "ns/job/one", 0)
        await store.commit("ns/job/one", [saved.digest], {})
        await store.fetch("ns/job/one", 0, tmp_path / "back")
    assert (tmp_path / "back/pages-1.img").read_bytes() == (root / "pages-1.img").read_bytes()


async def test_a_backend_that_does_not_answer_is_asked_again(gateway: Gateway, tmp_path: Path) -> None:
    root = images(tmp_path / "images", 2, 3000)
    over = threading.Event()

    def judge(number: int, method: str, path: str) -> Verdict:
        return 0 if number % 6 == 4 and not over.wait(60) else None

    with proxy(gateway.port, judge) as between:
        options = gateway.options(between.port)
        slow = Bucket(f"s3://{BUCKET}/{tmp_path.name}", options, timeout=timedelta(seconds=1))
        store = Store(slow, Codec())
        saved = await store.save(root, "ns/job/one", 0)
        await store.commit("ns/job/one", [saved.digest], {})
        await store.fetch("ns/job/one", 0, tmp_path / "back")
        over.set()
    assert (tmp_path / "back/pages-1.img").read_bytes() == (root / "pages-1.img").read_bytes()


async def test_a_backend_that_only_fails_is_given_up_and_nothing_shows(
    gateway: Gateway, tmp_path: Path
) -> None:
    root = images(tmp_path / "images", 3, 3000)
    with proxy(gateway.port, lambda number, method, path: 500 if number > 12 else None) as between:
        options = gateway.options(between.port)
        failing = Bucket(f"s3://{BUCKET}/{tmp_path.name}", options, timedelta(seconds=1))
        with pytest.raises(Unavailable):
            await Store(failing, Codec()).save(root, "ns/job/one", 0)
    store = Store.open(f"s3://{BUCKET}/{tmp_path.name}", options=gateway.options())
    assert not await store.list("ns", "job")

    saved = await store.save(root, "ns/job/one", 0)
    await store.commit("ns/job/one", [saved.digest], {})
    await store.fetch("ns/job/one", 0, tmp_path / "back")
