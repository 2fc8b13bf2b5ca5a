"""What a cluster is made of, on disk before any of it is made."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from cluster import paths
from cluster.embedded.addresses import Addresses
from cluster.provider import ClusterError, NodeSpec

Phase = Literal["Creating", "Complete", "Deleting"]
CONTROL = "control"


@dataclass(frozen=True)
class Record:
    """A cluster's identity; with its name and index, everything it made can be found again."""

    name: str
    index: int
    phase: Phase
    nodes: tuple[NodeSpec, ...]
    cgroups: tuple[str, ...]

    @property
    def addresses(self) -> Addresses:
        """Give the cluster's addresses."""
        return Addresses(self.index)

    @property
    def directory(self) -> Path:
        """Give the directory that holds all of the cluster's files."""
        return directory(self.name)

    def machine_directory(self, machine: str) -> Path:
        """Give the directory that holds the files of a node or of the control plane."""
        return self.directory / "machines" / machine

    def machine_cgroups(self, machine: str) -> list[Path]:
        """Give the machine's cgroup in every hierarchy."""
        return [Path(cgroup) / machine for cgroup in self.cgroups]

    @property
    def machines(self) -> list[str]:
        """Name the machines: the control plane, then the nodes."""
        return [CONTROL, *(node.name for node in self.nodes)]

    def ordinal(self, machine: str) -> int:
        """Give a machine's number: 0 for the control plane, nodes from 1. Raises ClusterError."""
        if machine not in self.machines:
            raise ClusterError(
                f"cluster {self.name} has no node {machine}; it has {', '.join(self.machines[1:])}"
            )
        return self.machines.index(machine)


def directory(name: str) -> Path:
    """Give the directory of the cluster with this name."""
    return paths.clusters() / name


def write(record: Record) -> None:
    """Replace the record on disk in one step."""
    record.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = record.directory / "cluster.json.new"
    with scratch.open("w") as file:
        json.dump(asdict(record), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    scratch.rename(record.directory / "cluster.json")


def read(name: str) -> Record | None:
    """Read a cluster's record; none if there is no such cluster."""
    try:
        text = (directory(name) / "cluster.json").read_text()
    except FileNotFoundError:
        return None
    fields = json.loads(text)
    nodes = tuple(NodeSpec(**node) for node in fields.pop("nodes"))
    return Record(**{**fields, "nodes": nodes, "cgroups": tuple(fields["cgroups"])})


def read_all() -> Sequence[Record]:
    """Read the records of all clusters on this machine."""
    found = [read(path.parent.name) for path in sorted(paths.clusters().glob("*/cluster.json"))]
    return [record for record in found if record is not None]


def remove(record: Record) -> None:
    """Remove the cluster's files, the record last, so that a crash on the way leaves it to be found."""
    for path in record.directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "cluster.json":
            path.unlink()
    shutil.rmtree(record.directory)
