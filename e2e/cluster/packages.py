"""The Debian packages that building and running an embedded cluster takes."""

import os
import shutil
import subprocess
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


def missing() -> list[str]:
    """List the packages that this machine lacks."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    programs = [package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None]
    files = [package for file, package in FILES.items() if not Path(file).exists()]
    return sorted({*programs, *files})


def ensure() -> None:
    """Install what is missing, where apt-get and root make that possible. Raises ClusterError."""
    packages = missing()
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
