"""What is known of a kind cluster, and how its containers are found."""

from pathlib import Path

import pytest

from cluster.kind import record
from cluster.kind.record import MAX_CLUSTERS, Record
from cluster.provider import ClusterError, NodeSpec, default_nodes


def test_containers_have_the_names_that_kind_gives_them() -> None:
    made = Record(Path("/state/kind/dev"), 0, default_nodes(3))
    assert made.containers == {
        "control": "dev-control-plane",
        "node-1": "dev-worker",
        "node-2": "dev-worker2",
        "node-3": "dev-worker3",
    }


def test_kubernetes_knows_a_node_by_its_own_name_and_the_control_plane_by_its_containers() -> None:
    made = Record(Path("/state/kind/dev"), 0, default_nodes(1))
    assert [made.kubernetes_name(name) for name in ("node-1", "control")] == ["node-1", "dev-control-plane"]


def test_an_unknown_node_is_an_error_that_names_the_known_ones() -> None:
    made = Record(Path("/state/kind/dev"), 0, default_nodes(2))
    with pytest.raises(ClusterError, match="no node node-7; it has node-1, node-2"):
        made.container("node-7")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = record.claim(tmp_path / "kind", "dev", [NodeSpec("left", "b", 8)])
    assert record.read(tmp_path / "kind", "dev") == made
    assert made.shared.is_dir()
    assert not made.kubeconfig.exists()


def test_two_clusters_have_different_pod_networks_and_an_index_is_used_again(tmp_path: Path) -> None:
    one, two = (record.claim(tmp_path, name, default_nodes(1)) for name in ("one", "two"))
    assert one.pods != two.pods
    record.remove(one)
    assert record.read(tmp_path, "one") is None
    assert record.claim(tmp_path, "three", default_nodes(1)).pods == one.pods


def test_no_more_clusters_are_made_than_there_are_networks(tmp_path: Path) -> None:
    for number in range(MAX_CLUSTERS):
        record.claim(tmp_path, f"c{number}", default_nodes(1))
    with pytest.raises(ClusterError, match="delete one"):
        record.claim(tmp_path, "more", default_nodes(1))
