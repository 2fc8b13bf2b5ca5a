"""The images on a node, in its containerd."""

from pathlib import Path

from cluster.embedded import machine
from cluster.embedded.node import CONTAINERD
from cluster.embedded.record import Record
from cluster.images.archive import read_index

CTR = ("ctr", f"--address={CONTAINERD}", "--namespace=k8s.io", "images")


def parse_list(table: str) -> dict[str, str]:
    """Read the names and digests out of `ctr images list`."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[0]: row[2] for row in rows if len(row) > 2}


def replaced(present: dict[str, str]) -> list[str]:
    """List the images that only their identity still names, because their name has gone to a newer one."""
    current = {digest for name, digest in present.items() if not name.startswith("sha256:")}
    return [name for name, digest in present.items() if name.startswith("sha256:") and digest not in current]


def load(record: Record, node: str, archive: Path) -> None:
    """Import an archive into a running node, unless it has the very same images. Raises ClusterError."""
    wanted = read_index(archive)
    present = parse_list(machine.run(record, node, [*CTR, "list"]))
    if wanted and wanted.items() <= present.items():
        return
    with archive.open("rb") as file:
        machine.run(record, node, [*CTR, "import", "-"], file)
    old = replaced(parse_list(machine.run(record, node, [*CTR, "list"])))
    if old:
        machine.run(record, node, [*CTR, "remove", *old])
