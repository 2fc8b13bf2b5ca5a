"""The directory that the agent's image holds at /opt/ergosphere/bin, built on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster import criu
from cluster.paths import REPOSITORY

TOOLS = ("go", "curl", "xz", "patch", "make", "gcc", "pkg-config", "protoc", "protoc-c", "patchelf")
LIBRARIES = ("protobuf", "libprotobuf-c", "libnl-3.0", "libcap", "uuid")


def build_binaries(target: Path) -> None:
    """Builds the launcher and CRIU into `target`. Skips where something that this takes is missing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    missing += [name for name in LIBRARIES if not missing and subprocess.run(["pkg-config", name]).returncode]
    if missing:
        pytest.skip(f"building the launcher and CRIU takes {', '.join(missing)}, missing on this machine")
    environment = {**os.environ, "CGO_ENABLED": "0"}
    build = ["go", "build", "-trimpath", "-o", str(target / "launcher"), "."]
    subprocess.run(build, cwd=REPOSITORY / "launcher", env=environment, check=True)
    subprocess.run([str(criu.SOURCE / "bundle.sh"), str(criu.build()), str(target)], check=True)
