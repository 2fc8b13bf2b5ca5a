"""What an agent makes of the store: opened from its environment, and failures as its report names them."""

import os
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.store.conftest import BUCKET, Gateway

from ergosphere.agent import effects as do
from ergosphere.agent.departed import Departed
from ergosphere.agent.depot import Depot
from ergosphere.agent.errors import StoreFailed
from ergosphere.agent.images import Images
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.settings import Settings
from ergosphere.agent.state import RESTORE_DIRECTORY
from ergosphere.agent.storage import open_store
from ergosphere.checkpoints import Denied, Invalid, Store

PAGE = 4096
WORKER = {
    "ERGO_JOB": "ns/job",
    "ERGO_JOB_UID": "u-1",
    "ERGO_RANK": "0",
    "ERGO_WORLD": "1",
    "ERGO_INCARNATION": "1",
    "ERGO_POD_IP": "127.0.0.1",
}


@pytest.fixture
def bucket(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The bucket's credentials as a Secret gives them to a container: as environment variables."""
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{gateway.port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", gateway.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", gateway.secret)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return gateway


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    (tmp_path / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", tmp_path / "small"], check=True)
    try:
        yield tmp_path / "small"
    finally:
        subprocess.run(["umount", tmp_path / "small"], check=True)


def files(root: Path) -> list[Path]:
    return [Path(folder, name) for folder, _, names in os.walk(root) for name in names]


def store_of(root: Path, url: str, **more: str) -> Store:
    environment = {**WORKER, "ERGO_STORE": url, **more}
    return open_store(Settings.from_environment(environment, root=root), os.environ)


class Left(Departed):
    """A pod that has two addresses, one of its own and one that the program brought along."""

    async def present(self) -> tuple[str, ...]:
        return "10.1.0.8", "10.1.0.9"


def depot(root: Path, url: str) -> Depot:
    """A worker's depot, with an image of 16 MiB of the cut c1."""
    settings = Settings.from_environment({**WORKER, "ERGO_STORE": url}, root=root)
    (settings.images / "c1").mkdir(parents=True)
    (settings.images / "c1" / "pages-1.img").write_bytes(random.Random(1).randbytes(4096 * PAGE))
    images = Images(settings.images)
    return Depot(settings, NodePlatform.here(), images, Left(), lambda: open_store(settings, os.environ))


async def test_credentials_come_from_the_environment(bucket: Gateway, tmp_path: Path) -> None:
    worker = depot(tmp_path, f"s3://{BUCKET}/{tmp_path.name}")
    saved = await worker.perform(do.StoreSave("c1"))
    await worker.perform(do.StoreCommit("c1", (saved.digest,)))
    fetched = await worker.perform(do.StoreFetch("ns/job/c1"))
    assert fetched.origin
    assert (tmp_path / "run/images" / RESTORE_DIRECTORY / "pages-1.img").read_bytes() == (
        tmp_path / "run/images/c1/pages-1.img"
    ).read_bytes()


async def test_only_addresses_that_a_socket_is_bound_to_are_brought_along(tmp_path: Path) -> None:
    worker = depot(tmp_path, (tmp_path / "store").as_uri())
    socket = bytes([0x08, 7, 0x18, 2, 0x58]) + varint(int.from_bytes(bytes([10, 1, 0, 9]), "little"))
    entry = bytes([0x08, 2, 0x10, 7, 0x22, len(socket)]) + socket
    head = struct.pack("<3I", 0x54564319, 0x56303138, len(entry))
    (tmp_path / "run/images/c1/files.img").write_bytes(head + entry)
    saved = await worker.perform(do.StoreSave("c1"))
    await worker.perform(do.StoreCommit("c1", (saved.digest,)))
    fetched = await worker.perform(do.StoreFetch("ns/job/c1"))
    assert fetched.origin
    assert fetched.origin.addresses == ("10.1.0.9",)


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


async def test_a_wrong_credential_is_named_as_such_and_not_told(
    bucket: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret-at-all")
    worker = depot(tmp_path, f"s3://{BUCKET}/{tmp_path.name}")
    with pytest.raises(StoreFailed) as failed:
        await worker.perform(do.StoreSave("c1"))
    assert failed.value.failure.reason == "StoreDenied"
    assert "refuses the credential" in failed.value.failure.message
    assert "not-the-secret" not in failed.value.failure.message
    assert bucket.access not in failed.value.failure.message


async def test_a_full_disk_is_named_as_such_and_leaves_nothing_half_written(
    tmp_path: Path, small_disk: Path
) -> None:
    worker = depot(tmp_path, small_disk.as_uri())
    with pytest.raises(StoreFailed) as failed:
        await worker.perform(do.StoreSave("c1"))
    assert failed.value.failure.reason == "StoreFull"
    assert "No space left on device" in failed.value.failure.message
    store = Store.open(small_disk.as_uri())
    assert not await store.list("ns", "job")

    await worker.perform(do.StoreAbandon("c1"))
    await store.collect("ns")
    assert {path.name for path in files(small_disk)} == {"seed", "c1"}  # the mark of its end


async def test_a_key_from_a_file_seals_what_is_stored(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "pages-1.img").write_bytes(b"a secret" * 512)
    url = (tmp_path / "store").as_uri()
    store = store_of(tmp_path, url, ERGO_STORE_KEY_FILE=str(tmp_path / "key"))
    saved = await store.save(tmp_path / "images", "ns/job/one", 0)
    await store.commit("ns/job/one", [saved.digest], {})
    with pytest.raises(Denied):
        await store_of(tmp_path, url).fetch("ns/job/one", 0, tmp_path / "back")
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        store_of(tmp_path, url, ERGO_STORE_KEY_FILE=str(tmp_path / "none"))
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(Invalid, match="32 bytes"):
        store_of(tmp_path, url, ERGO_STORE_KEY_FILE=str(tmp_path / "key"))


async def test_the_node_s_cache_serves_a_restart_when_the_store_is_gone_but_for_manifests(
    tmp_path: Path,
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "pages-1.img").write_bytes(random.Random(1).randbytes(100 * PAGE))
    cache = {"ERGO_STORE_CACHE": str(tmp_path / "cache"), "ERGO_STORE_CACHE_BYTES": str(1 << 20)}
    url = (tmp_path / "store").as_uri()
    store = store_of(tmp_path, url, **cache)
    saved = await store.save(tmp_path / "images", "ns/job/one", 0)
    await store.commit("ns/job/one", [saved.digest], {})
    for pack in files(tmp_path / "store" / "v1" / "ns" / "packs"):
        pack.unlink()

    await store_of(tmp_path, url, **cache).fetch("ns/job/one", 0, tmp_path / "back")

    assert (tmp_path / "back/pages-1.img").stat().st_size == 100 * PAGE
