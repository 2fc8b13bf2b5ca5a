"""The images on a node, in its containerd."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from cluster.images.archive import read_index

CONTAINERD = "/run/containerd/containerd.sock"
CTR = ("ctr", f"--address={CONTAINERD}", "--namespace=k8s.io", "images")


class RunOnNode(Protocol):
    """Runs a program on a node and gives its output. Raises ClusterError."""

    def __call__(self, command: Sequence[str], stdin: IO[bytes] | None = None) -> str:
        """Run it with that input."""


def parse_list(table: str) -> dict[str, str]:
    """Read the names and digests out of `ctr images list`."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[0]: row[2] for row in rows if len(row) > 2}


def replaced(present: dict[str, str]) -> list[str]:
    """List the images that only their identity still names, because their name has gone to a newer one."""
    current = {digest for name, digest in present.items() if not name.startswith("sha256:")}
    return [name for name, digest in present.items() if name.startswith("sha256:") and digest not in current]


def load(run: RunOnNode, archive: Path) -> None:
    """Import an archive into a running node, unless it has the very same images. Raises ClusterError."""
    wanted = read_index(archive)
    present = parse_list(run([*CTR, "list"]))
    if wanted and wanted.items() <= present.items():
        return
    with archive.open("rb") as file:
        run([*CTR, "import", "-"], file)
    old = replaced(parse_list(run([*CTR, "list"])))
    if old:
        run([*CTR, "remove", *old])
