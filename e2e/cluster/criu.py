"""Our CRIU: built from its source with the patches of the agent's image, and kept in the cache."""

import hashlib
import subprocess
import tomllib
from pathlib import Path

from cluster import binaries, paths
from cluster.progress import step
from cluster.provider import ClusterError

SOURCE = paths.REPOSITORY / "images" / "agent" / "criu"
PROGRAMS = {
    "curl": "curl",
    "gcc": "gcc",
    "make": "make",
    "patch": "patch",
    "pkg-config": "pkg-config",
    "protoc": "protobuf-compiler",
    "protoc-c": "protobuf-c-compiler",
    "xz": "xz-utils",
}
FILES = {
    "/usr/include/google/protobuf/descriptor.proto": "libprotobuf-dev",
    "/usr/include/libnet.h": "libnet1-dev",
    "/usr/include/libnl3/netlink/netlink.h": "libnl-3-dev",
    "/usr/include/protobuf-c/protobuf-c.h": "libprotobuf-c-dev",
    "/usr/include/stdlib.h": "libc6-dev",
    "/usr/include/sys/capability.h": "libcap-dev",
    "/usr/include/uuid/uuid.h": "uuid-dev",
}


def build() -> Path:
    """Build CRIU, unless the cache has what the same inputs made; returns the program. Raises ClusterError.

    Takes what the packages of PROGRAMS and FILES hold, and minutes.
    """
    versions = paths.REPOSITORY / "versions.toml"
    home = paths.cache() / "criu"
    kept = home / _digest(versions)
    with binaries.locked(kept.with_suffix(".lock")):
        if not kept.is_dir():
            made = binaries.fresh(kept.with_suffix(".unfinished"))
            with step("building CRIU"):
                _run(str(SOURCE / "build.sh"), str(versions), str(made))
            made.rename(kept)
    return kept / "criu"


def _digest(versions: Path) -> str:
    inputs = [*sorted(SOURCE.glob("*.patch")), SOURCE / "build.sh"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs))
    digest.update(repr(tomllib.loads(versions.read_text())["criu"]).encode())
    return digest.hexdigest()[:16]


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ClusterError(f"building CRIU failed:\n{result.stderr[-4000:]}")
