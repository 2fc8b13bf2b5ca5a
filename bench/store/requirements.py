"""What the benchmark takes: other programs of its kind, a PyTorch to train with, and our CRIU."""

from cluster import criu, packages

PROGRAMS = {"borg": "borgbackup", "ip": "iproute2", "restic": "restic", "setarch": "util-linux"}
FILES = {"/usr/lib/python3/dist-packages/torch": "python3-torch"}


def ensure() -> str:
    """Install the Debian packages that are missing, and build CRIU; returns its path. Raises ClusterError."""
    packages.ensure(PROGRAMS | criu.PROGRAMS, FILES | criu.FILES)
    return str(criu.build())
