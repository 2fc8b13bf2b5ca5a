"""The image that holds a pod's namespaces open, from Kubernetes' own source."""

import shutil
import subprocess
from pathlib import Path

from cluster import binaries
from cluster.images.archive import write_archive
from cluster.progress import step
from cluster.provider import ClusterError
from cluster.versions import GoModule, Versions

IMAGE = "ergosphere.dev/pause:1"
SOURCE = "build/pause/linux/pause.c"


def build(versions: Versions) -> Path:
    """Make `pause.tar` unless the cache has it; returns its directory. Raises ClusterError."""
    kubernetes = versions.go["kubernetes"]
    target = binaries.root() / f"pause-{kubernetes.version}"
    with binaries.locked(binaries.root() / ".pause.lock"):
        if target.is_dir():
            return target
        with step("building the pause image"):
            made = binaries.fresh(binaries.root() / ".pause.new")
            _compile(kubernetes, made / "pause")
            write_archive(made / "pause.tar", IMAGE, {"pause": (made / "pause").read_bytes()}, ["/pause"])
            made.rename(target)
    return target


def _compile(kubernetes: GoModule, output: Path) -> None:
    if shutil.which("gcc") is None:
        raise ClusterError("gcc is needed to build the pause image; install gcc and libc6-dev")
    find = ["go", "list", "-m", "-f", "{{.Dir}}", kubernetes.module]
    module = subprocess.run(
        find, cwd=kubernetes.directory, capture_output=True, text=True, check=True
    ).stdout.strip()
    version = f'-DVERSION="{kubernetes.version}"'
    command = ["gcc", "-Os", "-static", "-s", version, "-o", str(output), f"{module}/{SOURCE}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise ClusterError(f"compiling pause failed:\n{result.stderr}")
