"""The directory that the agent's image holds at /opt/ergosphere/bin, built on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from cluster import criu, packages
from cluster.paths import REPOSITORY
from cluster.provider import ClusterError

PROGRAMS = criu.PROGRAMS | {"patchelf": "patchelf"}


def build_binaries(target: Path) -> None:
    """Builds the launcher and CRIU into `target`. Skips where what that takes is missing for good."""
    try:
        packages.ensure(PROGRAMS, criu.FILES)
    except ClusterError as error:
        pytest.skip(f"the launcher and CRIU cannot be built on this machine: {error}")
    environment = {**os.environ, "CGO_ENABLED": "0"}
    build = ["go", "build", "-trimpath", "-o", str(target / "launcher"), "."]
    subprocess.run(build, cwd=REPOSITORY / "launcher", env=environment, check=True)
    subprocess.run([str(criu.SOURCE / "bundle.sh"), str(criu.build()), str(target)], check=True)
