"""The directory that the agent's image holds at /opt/ergosphere/bin, built on this machine."""

import hashlib
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cluster import binaries, paths

REPOSITORY = Path(__file__).parents[3]
CRIU = REPOSITORY / "images" / "agent" / "criu"
VERSIONS = REPOSITORY / "versions.toml"
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
    subprocess.run([str(CRIU / "bundle.sh"), str(_criu()), str(target)], check=True)


def _criu() -> Path:
    """Our CRIU. It takes minutes, and is kept for as long as nothing that goes into it changes."""
    inputs = [*sorted(CRIU.glob("*.patch")), CRIU / "build.sh"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs))
    digest.update(repr(tomllib.loads(VERSIONS.read_text())["criu"]).encode())
    home = paths.cache() / "criu"
    home.mkdir(parents=True, exist_ok=True)
    kept = home / digest.hexdigest()[:16]
    with binaries.locked(kept.with_suffix(".lock")):
        if not kept.is_dir():
            unfinished = kept.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            subprocess.run([str(CRIU / "build.sh"), str(VERSIONS), str(unfinished)], check=True)
            unfinished.rename(kept)
    return kept / "criu"
