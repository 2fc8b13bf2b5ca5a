"""The Docker engine that holds the nodes, and how programs are run beside it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from cluster import paths
from cluster.kind.config import Settings
from cluster.kind.record import Record
from cluster.provider import ClusterError


class Engine(Protocol):
    """A Docker engine, the image of nodes in it, and the directory of its clusters' files.

    The engine sees that directory, and the programs of the cache, where this process does.
    """

    node_image: str
    clusters: Path

    def command(self, argv: Sequence[str]) -> list[str]:
        """Give the command line that runs a program beside the engine, with `docker` in its PATH."""

    def settings(self, record: Record) -> Settings:
        """Tell what a cluster of this node image is to be configured with."""

    def route(self, record: Record, pods: Mapping[str, str]) -> None:
        """Make the pods of every node reachable from all others; `pods` maps networks to node addresses."""

    def forget(self, record: Record) -> None:
        """Undo `route`."""


class HostEngine:
    """The engine that `docker` on this machine talks to. The nodes' image brings a pod network of its own."""

    def __init__(self, node_image: str) -> None:
        """Take the image of the nodes, which the engine pulls."""
        self.node_image = node_image
        self.clusters = paths.clusters().with_name("kind")

    def command(self, argv: Sequence[str]) -> list[str]:
        """Run programs as they are."""
        return list(argv)

    def settings(self, record: Record) -> Settings:
        """Leave everything as the image's makers have it."""
        return Settings()

    def route(self, record: Record, pods: Mapping[str, str]) -> None:
        """Leave it to the pod network."""

    def forget(self, record: Record) -> None:
        """Leave it to the pod network."""


def run(engine: Engine, argv: Sequence[str], stdin: IO[bytes] | None = None, keep: Sequence[int] = ()) -> str:
    """Run a program beside the engine and return its output; it and what it starts keep descriptors open.

    Raises ClusterError with what it said.
    """
    given = stdin or subprocess.DEVNULL
    result = subprocess.run(engine.command(argv), stdin=given, capture_output=True, pass_fds=keep)
    if result.returncode != 0:
        said = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise ClusterError(f"{' '.join(argv[:4])} ... failed: {said[-4000:]}")
    return result.stdout.decode()


def save(engine: Engine, argv: Sequence[str], target: Path) -> None:
    """Write a program's output to an executable file. Raises ClusterError."""
    scratch = target.with_suffix(".new")
    with scratch.open("wb") as file:
        result = subprocess.run(engine.command(argv), stdout=file, stderr=subprocess.PIPE)
    if result.returncode != 0:
        raise ClusterError(f"{' '.join(argv[:4])} ... failed: {result.stderr.decode().strip()}")
    scratch.chmod(0o755)
    scratch.rename(target)
