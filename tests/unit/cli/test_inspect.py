"""`ergo checkpoint inspect`, as it is typed, on a store in a directory."""

import asyncio
import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ergosphere.checkpoints import Store
from ergosphere.cli.main import app

PAGE = 4096
KEY = bytes(range(32))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["checkpoint", "inspect", *arguments])
    return done.exit_code, done.output


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a checkpoint of two ranks that have 30 of their 40 pages in common."""
    url = (tmp_path / "store").as_uri()
    asyncio.run(saved(Store.open(url, key=KEY), tmp_path))
    (tmp_path / "key").write_bytes(KEY)
    return url


async def saved(store: Store, tmp_path: Path) -> None:
    common = random.Random(0).randbytes(30 * PAGE)
    digests = []
    for rank in range(2):
        root = tmp_path / f"rank-{rank}"
        root.mkdir()
        (root / "state").write_bytes(common + random.Random(rank + 1).randbytes(10 * PAGE))
        digests.append((await store.save(root, "ns/job/one", rank, world=2)).digest)
    await store.commit("ns/job/one", digests, {})


def test_each_rank_tells_what_is_new_and_what_it_shares(url: str, tmp_path: Path) -> None:
    status, out = run("ns/job/one", "--store", url, "--key-file", str(tmp_path / "key"))
    assert status == 0, out
    first, second = (line.split() for line in out.splitlines() if line.startswith("rank"))
    assert first == ["rank", "0", "160", "KiB", "160", "KiB", "-", "-", "-"]
    assert second == ["rank", "1", "160", "KiB", "40", "KiB", "-", "-", "120", "KiB"]


def test_one_rank_for_programs(url: str, tmp_path: Path) -> None:
    given = ("--store", url, "--key-file", str(tmp_path / "key"), "--rank", "1", "--output", "json")
    status, out = run("ns/job/one", *given)
    (rank,) = json.loads(out)
    assert status == 0
    assert (rank["rank"], rank["shares"]["with_ranks"], rank["shares"]["unique"]) == (1, 30 * PAGE, 10 * PAGE)


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["ns/job/none"], 3, "there is no checkpoint ns/job/none"),
        (["job"], 2, "<namespace>/<job>/<name>"),
        (["ns/job/one", "--rank", "2"], 3, "has ranks 0 to 1"),
        (["ns/job/one"], 1, "key"),
        (["ns/job/one", "--key-file", "/nowhere"], 2, "/nowhere cannot be read: No such file"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    url: str, arguments: list[str], status: int, word: str
) -> None:
    found, out = run(*arguments, "--store", url)
    assert found == status
    assert word in out
    assert out.startswith("error: ")
    assert out.count("\n") == 1
