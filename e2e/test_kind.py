"""kind clusters clean up after themselves, and their nodes fail as machines do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.kind import credentials, nodes, record
from cluster.kind.offline.engine import find_engine
from cluster.kind.provider import KindProvider
from cluster.provider import ClusterError, default_nodes
from cluster.readiness import last_report

NAME = "self-test"
CREATE = [sys.executable, "-m", "cluster", "create", "--name", NAME, "--nodes", "1"]


@pytest.fixture
def provider() -> Iterator[KindProvider]:
    found = KindProvider(find_engine())
    found.delete(NAME)
    yield found
    found.delete(NAME)


def containers() -> list[str]:
    label = f"label=io.x-k8s.kind.cluster={NAME}"
    return nodes.docker(find_engine(), "ps", "--all", "--quiet", "--filter", label).split()


def traces() -> dict[str, list[str]]:
    """What a cluster of this name can leave behind."""
    files = [str(path) for path in find_engine().clusters.glob(NAME)]
    return {"containers": containers(), "files": files}


def volumes() -> set[str]:
    return set(nodes.docker(find_engine(), "volume", "ls", "--quiet").split())


def test_whatever_a_killed_creator_left_is_deleted_even_while_kind_goes_on(provider: KindProvider) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    before = volumes()
    creator = subprocess.Popen(CREATE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not containers():
        assert creator.poll() is None, "the creator ended before it could be interrupted"
        time.sleep(0.05)
    creator.send_signal(signal.SIGKILL)
    creator.wait()
    assert not provider.status(NAME).complete

    provider.delete(NAME)

    assert not any(traces().values()), traces()
    assert volumes() <= before
    with pytest.raises(ClusterError, match="there is no kind cluster"):
        provider.status(NAME)


def test_a_node_can_lose_power_hang_and_come_back_and_a_deleted_cluster_leaves_nothing(
    provider: KindProvider,
) -> None:
    before = volumes()
    provider.create(NAME, default_nodes(1))
    made = record.read(find_engine().clusters, NAME)
    assert made is not None
    assert all(traces().values())

    provider.pause_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Paused"
    provider.resume_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Running"

    provider.kill_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Stopped"
    reported = last_report(credentials.connect(made.kubeconfig), "node-1")
    provider.restart_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Running"
    assert last_report(credentials.connect(made.kubeconfig), "node-1") != reported

    provider.pause_node(NAME, "node-1")
    provider.delete(NAME)

    assert not any(traces().values()), traces()
    assert volumes() <= before
