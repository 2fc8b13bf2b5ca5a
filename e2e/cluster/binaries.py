"""Kubernetes and its company, built from their Go modules into the cache."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import paths
from cluster.progress import step
from cluster.provider import ClusterError
from cluster.versions import GoModule, Versions

CLUSTER_MODULES = ("kubernetes", "etcd", "containerd", "runc", "cni")


def root() -> Path:
    """Give the directory that holds one directory of binaries per module and version."""
    return paths.cache() / "bin"


def directory(module: GoModule) -> Path:
    """Give the directory this module's binaries are in, built or not."""
    return root() / module.build_name()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file beside what is being made, so that two makers take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(module: GoModule) -> Path:
    """Build a module's programs unless the cache has them; returns their directory. Raises ClusterError."""
    target = directory(module)
    if target.is_dir():
        return target
    with locked(root() / f".{module.name}.lock"):
        if target.is_dir():
            return target
        with step(f"building {module.name} {module.version}"):
            made = fresh(root() / f".{module.name}.new")
            for program, package in module.programs.items():
                _compile(module, package, made / program)
            made.rename(target)
    return target


def fresh(directory: Path) -> Path:
    """Give an empty directory in place of what an interrupted maker left there."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _compile(module: GoModule, package: str, output: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise ClusterError("Go 1.21 or newer is needed to build Kubernetes; see https://go.dev/dl")
    command = [go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    command += ["-tags", ",".join(module.tags)] if module.tags else []
    command += ["-ldflags", module.linker_flags, "-o", str(output), package]
    environment = {**os.environ, "CGO_ENABLED": "1" if module.cgo else "0", "GOFLAGS": ""}
    result = subprocess.run(command, cwd=module.directory, env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise ClusterError(f"building {package} failed:\n{result.stderr[-4000:]}")


def build_all(versions: Versions, names: tuple[str, ...] = CLUSTER_MODULES) -> dict[str, Path]:
    """Build the named modules one after the other; returns each one's directory of binaries."""
    root().mkdir(parents=True, exist_ok=True)
    return {name: build(versions.go[name]) for name in names}
