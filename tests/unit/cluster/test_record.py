"""What is known about a cluster after a crash."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.embedded import record
from cluster.embedded.record import Record
from cluster.provider import ClusterError, default_nodes

DEV = Record("dev", 2, "Creating", default_nodes(3), ("/sys/fs/cgroup/memory/ergosphere-dev",))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_record_is_read_as_it_was_written() -> None:
    record.write(DEV)
    assert record.read("dev") == DEV
    assert record.read_all() == [DEV]


def test_a_crash_while_writing_leaves_the_previous_record() -> None:
    record.write(DEV)
    (DEV.directory / "cluster.json.new").write_text('{"name": "de')
    assert record.read("dev") == DEV
    record.write(replace(DEV, phase="Complete"))
    assert record.read("dev") == replace(DEV, phase="Complete")


def test_a_removed_cluster_is_not_known() -> None:
    record.write(DEV)
    (DEV.machine_directory("node-1") / "etc").mkdir(parents=True)
    record.remove(DEV)
    assert record.read("dev") is None
    assert not DEV.directory.exists()


def test_a_directory_without_a_record_is_no_cluster() -> None:
    DEV.directory.mkdir(parents=True)
    assert record.read_all() == []


def test_the_control_plane_has_ordinal_0_and_nodes_count_from_1() -> None:
    assert [DEV.ordinal(machine) for machine in DEV.machines] == [0, 1, 2, 3]


def test_an_unknown_node_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(ClusterError, match="has no node node-9; it has node-1, node-2, node-3"):
        DEV.ordinal("node-9")
