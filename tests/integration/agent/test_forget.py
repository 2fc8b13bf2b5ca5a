"""`python -m ergosphere.agent forget`, as the operator runs it when a Checkpoint is deleted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ergosphere.checkpoints import Missing, Store


def forget(*checkpoints: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return agent("forget", *checkpoints, **environment)


def agent(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ergosphere.agent", *arguments]
    settings = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)


async def save(store: Store, images: Path, name: str) -> None:
    saved = await store.save(images, name, 0, world=1)
    await store.commit(name, [saved.digest], {})


async def test_a_checkpoint_is_deleted_with_its_data_and_others_stay(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "store").mkdir()
    store = Store.open((tmp_path / "store").as_uri())
    for name in ("a", "b"):
        (tmp_path / "images" / "pages-1.img").write_bytes(os.urandom(1 << 20))
        await save(store, tmp_path / "images", f"ns/job/{name}")
    url = (tmp_path / "store").as_uri()
    for _ in range(2):
        done = forget("ns/job/a", ERGO_STORE=url)
        assert done.returncode == 0, done.stderr
    with pytest.raises(Missing):
        await store.read("ns/job/a")
    (tmp_path / "back").mkdir()
    await store.fetch("ns/job/b", 0, tmp_path / "back")
    assert (tmp_path / "back" / "pages-1.img").stat().st_size == 1 << 20


async def test_what_nothing_needs_is_collected_in_one_namespace_alone(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri()
    (tmp_path / "images" / "pages-1.img").write_bytes(os.urandom(1 << 20))
    store = Store.open(url)
    for namespace in ("ns", "other"):
        await save(store, tmp_path / "images", f"{namespace}/job/a")
        await store.delete(f"{namespace}/job/a")
    done = agent("collect", "ns", ERGO_STORE=url)
    assert done.returncode == 0, done.stderr
    packs = list((tmp_path / "store").rglob("packs/*/*"))
    assert {pack.relative_to(tmp_path / "store").parts[1] for pack in packs} == {"other"}


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["no-slashes"], {"ERGO_STORE": "memory://"}, "<namespace>/<job>/<name>"),
        (["../../etc"], {"ERGO_STORE": "memory://"}, "allowed"),
        (["ns/job/a"], {}, "ERGO_STORE"),
        (["ns/job/a"], {"ERGO_STORE": "nonsense://x"}, "file:///"),
        ([], {"ERGO_STORE": "memory://"}, "usage:"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, environment, word):
    done = forget(*arguments, **environment)
    assert done.returncode == 2
    assert word in done.stderr
