"""An engine of the project's own, for machines that have none or that no image registry answers."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster import binaries, docker, packages
from cluster.embedded import cluster, machine
from cluster.embedded.record import CONTROL
from cluster.embedded.record import Record as Machine
from cluster.kind import engine as engines
from cluster.kind.config import Settings
from cluster.kind.engine import Engine, HostEngine
from cluster.kind.offline import engine_machine, root
from cluster.kind.offline.node_image import START, NodeImage
from cluster.kind.record import Record
from cluster.progress import step
from cluster.provider import ClusterError
from cluster.versions import read_versions

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.2


class OfflineEngine:
    """The engine on a machine of its own. Its nodes have no pod network but the routes that it makes."""

    def __init__(self, where: Machine, node_image: str) -> None:
        """Take the running machine and the name of its node image."""
        self._machine = where
        self.node_image = node_image
        self.clusters = engine_machine.clusters(where)

    def command(self, argv: Sequence[str]) -> list[str]:
        """Run programs on the engine's machine."""
        pid = machine.pid(self._machine, CONTROL)
        enter = ["nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--ipc", "--pid", "--"]
        return [*enter, *engine_machine.inside(list(argv))]

    def settings(self, record: Record) -> Settings:
        """Publish the API server where the host reaches it; leave out what the node image lacks."""
        networking = {
            "apiServerAddress": self._machine.addresses.control,
            "disableDefaultCNI": True,
            "podSubnet": record.pods,
        }
        kubelet = {"cgroupRoot": "/", "makeIPTablesUtilChains": False}
        return Settings(
            networking,
            [
                {"kind": "ClusterConfiguration", "dns": {"disabled": True}},
                {"kind": "KubeletConfiguration", **kubelet},
            ],
        )

    def route(self, record: Record, pods: Mapping[str, str]) -> None:
        """Route the pods of every node on the engine's machine, which is every node's gateway."""
        for network, address in pods.items():
            engines.run(self, ["ip", "route", "replace", network, "via", address])

    def forget(self, record: Record) -> None:
        """Remove the routes to the cluster's pods."""
        engines.run(self, ["ip", "route", "flush", "root", record.pods])


def find_engine() -> Engine:
    """Give the engine of the project's own where it runs, else this machine's. Raises ClusterError."""
    versions = read_versions()
    where = engine_machine.running()
    if where is not None:
        return OfflineEngine(where, NodeImage(versions).tag)
    if docker.answers():
        return HostEngine(versions.kind.node_image)
    raise ClusterError("no Docker engine answers; start one, or make one with `make kind-offline`")


def create() -> None:
    """Make the engine with its node image, or do what is left of that. Raises ClusterError."""
    if os.geteuid() != 0:
        raise ClusterError(
            "an engine of the project's own needs root: it makes namespaces, mounts and cgroups"
        )
    packages.ensure()
    versions = read_versions()
    programs = binaries.build(versions.go["kind"])
    image = NodeImage(versions)
    files = image.build()
    debian = root.debian(versions.kind.engine)
    where = engine_machine.running()
    if where is None:
        engine_machine.remove()
        where = engine_machine.boot(debian, programs)
    engine = OfflineEngine(where, image.tag)
    _await(engine)
    _import(engine, files)
    cluster.finish(where)


def delete() -> None:
    """Remove the engine with everything in it."""
    with step("deleting the engine"):
        engine_machine.remove()


def _await(engine: Engine) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    with step("waiting for the engine"):
        while subprocess.run(engine.command(["docker", "version"]), capture_output=True).returncode != 0:
            if time.monotonic() > deadline:
                raise ClusterError("the engine does not answer")
            time.sleep(POLL_SECONDS)


def _import(engine: Engine, files: Path) -> None:
    if engines.run(engine, ["docker", "images", "--quiet", engine.node_image]).strip():
        return
    changes = [word for change in START for word in ("--change", change)]
    tar = ["tar", "--create", "--directory", str(files), "--numeric-owner", "."]
    with step("importing the node image"), subprocess.Popen(tar, stdout=subprocess.PIPE) as packed:
        engines.run(engine, ["docker", "import", *changes, "-", engine.node_image], packed.stdout)
