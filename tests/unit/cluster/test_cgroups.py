"""Reading where the machine's cgroups are, and leaving none behind."""

import os
from pathlib import Path

import pytest

from cluster.embedded import ancestors
from cluster.embedded.cgroups import hierarchies, own_path

HYBRID = """\
22 28 0:20 / /proc rw,relatime - proc proc rw
31 24 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
32 24 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
33 24 0:29 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
"""
UNIFIED = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_every_hierarchy_of_a_hybrid_machine_is_found_version_1_first() -> None:
    names = [path.name for path in hierarchies(HYBRID)]
    assert names == ["memory", "systemd", "unified"]


def test_a_unified_machine_has_one_hierarchy() -> None:
    assert hierarchies(UNIFIED) == [Path("/sys/fs/cgroup")]


def test_clusters_stay_below_the_memory_limit_of_whoever_makes_them() -> None:
    assert own_path("5:devices:/\n4:memory:/session/7\n0::/\n") == "/session/7"
    assert own_path("4:cpu,memory:/a:b\n") == "/a:b"


def test_without_a_version_1_memory_hierarchy_clusters_are_made_at_the_top() -> None:
    assert own_path("0::/user.slice/session\n") == "/"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state" / "ergosphere" / "clusters").mkdir(parents=True)
    (tmp_path / "cpu").mkdir()
    return tmp_path / "cpu"


def test_parents_made_for_clusters_go_with_the_last_of_them(tree: Path) -> None:
    first, second = (tree / "session" / "7" / name for name in ("one", "two"))
    assert ancestors.note_missing(first) == [tree / "session", tree / "session" / "7"]
    first.mkdir(parents=True)
    assert ancestors.note_missing(second) == []
    second.mkdir()

    first.rmdir()
    ancestors.remove_unused()
    assert second.exists()

    second.rmdir()
    ancestors.remove_unused()
    assert os.listdir(tree) == []


def test_parents_that_were_there_before_are_kept(tree: Path) -> None:
    (tree / "session").mkdir()
    ancestors.note_missing(tree / "session" / "one")
    ancestors.remove_unused()
    assert (tree / "session").exists()


def test_a_crash_between_noting_and_making_is_no_obstacle(tree: Path) -> None:
    ancestors.note_missing(tree / "session" / "7" / "one")
    ancestors.remove_unused()
    assert os.listdir(tree) == []
