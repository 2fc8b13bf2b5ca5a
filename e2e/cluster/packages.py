"""Debian packages: which ones an embedded cluster takes, and how those that are missing are installed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cluster.progress import step
from cluster.provider import ClusterError

PROGRAMS = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "gcc": "gcc",
    "go": "golang-go",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "pkg-config": "pkg-config",
}
FILES = {"/usr/include/seccomp.h": "libseccomp-dev", "/usr/include/stdlib.h": "libc6-dev"}


def missing(programs: Mapping[str, str] = PROGRAMS, files: Mapping[str, str] = FILES) -> list[str]:
    """List the packages that this machine lacks, given the programs and files that each is there for."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    absent = [package for program, package in programs.items() if shutil.which(program, path=path) is None]
    absent += [package for file, package in files.items() if not Path(file).exists()]
    return sorted(set(absent))


def ensure(programs: Mapping[str, str] = PROGRAMS, files: Mapping[str, str] = FILES) -> None:
    """Install what is missing, where apt-get and root make that possible. Raises ClusterError."""
    packages = missing(programs, files)
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ClusterError(f"please install what these Debian packages hold: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(packages)} with apt-get"):
        for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", *packages]):
            result = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
            if result.returncode != 0:
                raise ClusterError(f"apt-get {command[0]} failed:\n{result.stderr[-3000:]}")
