"""What is known of a kind cluster, on disk before any of it is made."""

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.provider import ClusterError, NodeSpec

MAX_CLUSTERS = 16
FIRST_OCTET = 200
CONTROL = "control"


@dataclass(frozen=True)
class Record:
    """A cluster: the network of its pods follows from its index, its containers' names from its own."""

    directory: Path
    index: int
    nodes: tuple[NodeSpec, ...]

    @property
    def name(self) -> str:
        """Give the cluster's name, after which its directory is named."""
        return self.directory.name

    @property
    def shared(self) -> Path:
        """Give the directory that all nodes see at /var/lib/ergosphere."""
        return self.directory / "shared"

    @property
    def kubeconfig(self) -> Path:
        """Give the administrator's kubeconfig; it exists once the cluster is complete."""
        return self.directory / "kubeconfig"

    @property
    def unfinished_kubeconfig(self) -> Path:
        """Give where the kubeconfig is until the cluster is complete."""
        return self.directory / "kubeconfig.new"

    @property
    def creation(self) -> Path:
        """Give the file that is locked for as long as kind makes the cluster, even if its caller is gone."""
        return self.directory / "creation.lock"

    @property
    def audit_policy(self) -> Path:
        """Give the file that tells the API server what to write down."""
        return self.directory / "audit.yaml"

    @property
    def kubectl(self) -> Path:
        """Give the kubectl of the cluster's version."""
        return self.directory / "kubectl"

    @property
    def pods(self) -> str:
        """Give a network for the cluster's pods that no other cluster of the engine has."""
        return f"10.{FIRST_OCTET + self.index}.0.0/16"

    @property
    def containers(self) -> dict[str, str]:
        """Give the container of each machine, as kind names them: the control plane's, then the nodes'."""
        workers = [f"{self.name}-worker{n if n > 1 else ''}" for n in range(1, len(self.nodes) + 1)]
        names = [node.name for node in self.nodes]
        return {CONTROL: f"{self.name}-control-plane", **dict(zip(names, workers, strict=True))}

    def container(self, machine: str) -> str:
        """Give a machine's container. Raises ClusterError for an unknown machine."""
        if machine not in self.containers:
            names = ", ".join(node.name for node in self.nodes)
            raise ClusterError(f"cluster {self.name} has no node {machine}; it has {names}")
        return self.containers[machine]

    def kubernetes_name(self, machine: str) -> str:
        """Give the name by which Kubernetes knows a machine."""
        return self.container(machine) if machine == CONTROL else machine


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold a lock file, and give its descriptor: whoever keeps that open holds the lock too."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def claim(clusters: Path, name: str, nodes: Sequence[NodeSpec]) -> Record:
    """Write down what is about to be made, with an index of its own. Raises ClusterError if none is left."""
    clusters.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(clusters / ".lock"):
        taken = {known.index for known in read_all(clusters)}
        index = next((number for number in range(MAX_CLUSTERS) if number not in taken), None)
        if index is None:
            raise ClusterError(f"there can be {MAX_CLUSTERS} kind clusters; delete one")
        made = Record(clusters / name, index, tuple(nodes))
        made.shared.mkdir(parents=True, exist_ok=True)
        _write(made)
    return made


def _write(record: Record) -> None:
    scratch = record.directory / "cluster.json.new"
    fields = {"index": record.index, "nodes": [asdict(node) for node in record.nodes]}
    scratch.write_text(json.dumps(fields, indent=2))
    scratch.rename(record.directory / "cluster.json")


def read(clusters: Path, name: str) -> Record | None:
    """Read a cluster's record out of the directory of all clusters; none if there is no such cluster."""
    try:
        fields = json.loads((clusters / name / "cluster.json").read_text())
    except FileNotFoundError:
        return None
    return Record(clusters / name, fields["index"], tuple(NodeSpec(**node) for node in fields["nodes"]))


def read_all(clusters: Path) -> list[Record]:
    """Read the records of all clusters in the directory."""
    found = [read(clusters, path.parent.name) for path in sorted(clusters.glob("*/cluster.json"))]
    return [record for record in found if record is not None]


def remove(record: Record) -> None:
    """Remove the cluster's files, the record last, so that a crash on the way leaves it to be found."""
    for path in record.directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "cluster.json":
            path.unlink()
    shutil.rmtree(record.directory)
