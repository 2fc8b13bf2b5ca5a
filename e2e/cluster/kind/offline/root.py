"""Debian systems in directories of the cache."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from cluster import binaries, paths
from cluster.images.base import APT_SETTINGS, DPKG_SETTINGS, LEFT_OUT, bootstrap
from cluster.progress import step
from cluster.versions import Packages


def digest(*recipe: object) -> str:
    """Give twelve hexadecimal digits that change with the recipe."""
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def debian(packages: Packages) -> Path:
    """Install a suite's packages into a directory, unless the cache has it; returns it."""
    name = f"{packages.suite}-{digest(packages, LEFT_OUT, APT_SETTINGS, DPKG_SETTINGS)}"
    return ensure(name, lambda root: bootstrap(packages.suite, packages.packages, root))


def ensure(name: str, make: Callable[[Path], None]) -> Path:
    """Give the directory of this name, made by `make` unless it is there already, whole."""
    target = paths.cache() / "kind" / name
    with binaries.locked(target.with_suffix(".lock")):
        if not target.is_dir():
            scratch = target.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            with step(f"making {name}"):
                make(scratch)
            scratch.rename(target)
    return target
