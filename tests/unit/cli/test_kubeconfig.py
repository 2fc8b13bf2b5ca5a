"""A kubeconfig is read as kubectl reads it, or refused in one line with the status that is documented."""

import pytest
from tests.unit.cli.answering import kubeconfig, refused

from ergosphere.cli.cluster import Cluster

SERVER = "http://127.0.0.1:1"


def test_without_a_current_context_the_one_that_is_named_is_taken(tmp_path):
    path = kubeconfig(tmp_path, SERVER, **{"current-context": None})
    cluster = Cluster.connect(str(path), "c", None)
    assert (cluster.server, cluster.context, cluster.namespace) == (SERVER, "c", "lab")


def test_the_current_context_is_taken_where_none_is_named_and_the_namespace_that_is(tmp_path):
    cluster = Cluster.connect(str(kubeconfig(tmp_path, SERVER)), None, "own")
    assert (cluster.server, cluster.context, cluster.namespace) == (SERVER, "c", "own")


def test_without_any_context_there_is_no_cluster_to_talk_to(tmp_path):
    path = kubeconfig(tmp_path, SERVER, **{"current-context": None})
    status, line = refused(path, "jobs")
    assert status == 4
    assert line.startswith("error: no cluster to talk to: ")
    assert "current-context" in line


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none"
    status, line = refused(path, "jobs")
    assert status == 4
    assert line.startswith(f"error: no cluster to talk to: there is no kubeconfig {path}")


@pytest.mark.parametrize("text", ["contexts: [", "a: b: c", "\tcontexts:", "a\x00b"])
def test_a_file_that_is_no_yaml_is_told_with_its_name(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    status, line = refused(path, "jobs")
    assert status == 4
    assert line.startswith(f"error: {path} is not YAML: ")


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[1, 2]",
        "contexts: 5",
        "{contexts: [{name: c, context: hello}], current-context: c}",
        "{contexts: [{name: c, context: {cluster: c}}], clusters: [{name: c, cluster: {server: 5}}],"
        " current-context: c}",
    ],
)
def test_yaml_that_is_no_kubeconfig_is_told_with_its_name(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    status, line = refused(path, "jobs")
    assert status == 4
    assert line.startswith(f"error: {path} does not have the form of a kubeconfig; ")
