"""The embedded cluster cleans up after itself, and its nodes fail as machines do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import paths
from cluster.embedded import bridge, cgroups, record
from cluster.embedded.provider import EmbeddedProvider
from cluster.embedded.readiness import last_report
from cluster.provider import ClusterError, default_nodes

NAME = "self-test"
CREATE = [sys.executable, "-m", "cluster", "create", "--name", NAME, "--nodes", "1"]


def traces() -> dict[str, set[str]]:
    """What a cluster of this name can leave on the machine."""
    groups = {path for path in cgroups.plan(NAME) if Path(path).exists()}
    processes = {path.name for path in Path("/proc").glob("[0-9]*") if _alive(path) and _ours(path)}
    mounts = {line for line in _text(Path("/proc/self/mountinfo")).splitlines() if NAME in line}
    known = record.read(NAME)
    files = {str(path) for path in paths.clusters().glob(NAME)}
    links = {link for link in bridge.links() if known and link.startswith(known.addresses.bridge)}
    return {"cgroups": groups, "processes": processes, "mounts": mounts, "files": files, "links": links}


def _ours(process: Path) -> bool:
    return f"ergosphere-{NAME}" in _text(process / "cgroup") or NAME in _text(process / "cmdline")


def _alive(process: Path) -> bool:
    """A process that ended stays in the table until its parent, the host's init, has read its exit status."""
    return _text(process / "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # the process is gone


@pytest.fixture
def provider() -> Iterator[EmbeddedProvider]:
    found = EmbeddedProvider()
    found.delete(NAME)
    yield found
    found.delete(NAME)


def interrupt(process: subprocess.Popen[bytes], when: Path) -> None:
    """Kill the creator, which cannot clean up, as soon as a file exists."""
    while not when.exists():
        assert process.poll() is None, "the creator ended before it could be interrupted"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    "file", ["cluster.json", "kubeconfig", "machines/control/pid", "machines/node-1/logs"]
)
def test_whatever_a_killed_creator_left_is_deleted(provider: EmbeddedProvider, file: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    before = bridge.links()
    creator = subprocess.Popen(CREATE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    interrupt(creator, record.directory(NAME) / file)
    assert not provider.status(NAME).complete

    provider.delete(NAME)

    assert not any(traces().values()), traces()
    assert bridge.links() <= before
    with pytest.raises(ClusterError, match="there is no cluster"):
        provider.status(NAME)


def test_a_node_can_lose_power_hang_and_come_back(provider: EmbeddedProvider) -> None:
    provider.create(NAME, default_nodes(1))
    made = record.read(NAME)
    assert made is not None

    provider.pause_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Paused"
    provider.resume_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Running"

    provider.kill_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Stopped"
    before = last_report(made, "node-1")
    provider.restart_node(NAME, "node-1")
    assert provider.status(NAME).nodes[0].condition == "Running"
    assert last_report(made, "node-1") != before


def test_a_deleted_cluster_leaves_nothing(provider: EmbeddedProvider) -> None:
    before = bridge.links()
    provider.create(NAME, default_nodes(1))
    assert all(traces()[kind] for kind in ("cgroups", "processes", "files", "links"))

    provider.delete(NAME)

    assert not any(traces().values()), traces()
    assert bridge.links() <= before
