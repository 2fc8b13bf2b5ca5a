"""The program that builds images: Docker where its engine answers, else buildah with a store of its own."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cluster import docker, packages, paths
from cluster.images.archive import read_index
from cluster.provider import ClusterError

HOST_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
HOST_PIP = "/etc/pip.conf"
STORE_BYTES = 10 * 2**30


def run(command: Sequence[str], cwd: Path | None = None) -> str:
    """Run a program and return its output. Raises ClusterError with the end of what it said."""
    result = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if result.returncode != 0:
        raise ClusterError(f"{' '.join(command[:8])} ... failed:\n{result.stdout[-6000:]}")
    return result.stdout


class Engine(Protocol):
    """Builds a Dockerfile into an archive that a cluster can load."""

    needs_base: bool

    def build(self, dockerfile: Path, context: Path, tag: str, archive: Path) -> None:
        """Build, tag and save an image. Raises ClusterError."""


class Docker:
    """The Docker engine: it pulls base images itself."""

    needs_base = False

    def build(self, dockerfile: Path, context: Path, tag: str, archive: Path) -> None:
        """Build with `docker build` and save with `docker save`."""
        run(["docker", "build", "--file", str(dockerfile), "--tag", tag, str(context)])
        run(["docker", "save", "--output", str(archive), tag])
        if tag not in read_index(archive):
            raise ClusterError("Docker 25 or newer is needed: older ones save no OCI archives")


class Buildah:
    """buildah without a daemon, a registry or the host's own image store."""

    needs_base = True

    def __init__(self) -> None:
        """Use a store below the cache."""
        root = paths.cache() / "images"
        self.store, state = str(root / "storage"), str(root / "run")
        # In a mount namespace of its own, what it mounts is gone when it ends, however it ends.
        options = ["--root", self.store, "--runroot", state, "--storage-driver", "overlay"]
        self.command = ["unshare", "--mount", "buildah", *options]

    def build(self, dockerfile: Path, context: Path, tag: str, archive: Path) -> None:
        """Build with cached layers; `RUN` has the host's network, authorities and pip settings."""
        self._tidy()
        command = [*self.command, "build", "--pull-never", "--isolation", "chroot", "--layers"]
        for path in (HOST_AUTHORITIES, HOST_PIP):
            command += ["--volume", f"{path}:{path}:ro"] if os.path.exists(path) else []
        run([*command, "--file", str(dockerfile), "--tag", tag, str(context)])
        archive.unlink(missing_ok=True)
        run([*self.command, "push", "--compression-format", "zstd", tag, f"oci-archive:{archive}:{tag}"])

    def _tidy(self) -> None:
        """Remove what interrupted builds left, and all unnamed images once the store has grown too large."""
        run([*self.command, "rm", "--all"])
        used = int(run(["du", "--summarize", "--block-size=1", self.store]).split()[0])
        if used > STORE_BYTES:
            run([*self.command, "rmi", "--prune"])

    def has(self, image: str) -> bool:
        """Tell whether the store has an image."""
        return bool(run([*self.command, "images", "--quiet", "--filter", f"reference={image}"]).strip())

    def commit(self, root: Path, image: str) -> None:
        """Make an image of a directory."""
        container = run([*self.command, "from", "scratch"]).strip()
        run([*self.command, "add", "--quiet", container, str(root), "/"])
        run([*self.command, "config", "--cmd", "bash", container])
        run([*self.command, "commit", "--quiet", "--rm", container, image])

    def load(self, archive: Path, image: str) -> None:
        """Take an image from an archive."""
        container = run([*self.command, "from", "--quiet", f"oci-archive:{archive}"]).strip()
        run([*self.command, "commit", "--quiet", "--rm", container, image])

    def save(self, image: str, archive: Path) -> None:
        """Write an image to an archive."""
        run([*self.command, "push", image, f"oci-archive:{archive}:{image}"])


def choose() -> Engine:
    """Find an engine, and install what it lacks. Raises ClusterError where it cannot."""
    if docker.answers():
        return Docker()
    packages.ensure()
    return Buildah()
