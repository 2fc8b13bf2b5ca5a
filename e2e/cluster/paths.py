"""Where things are kept: the repository, the cache that may be deleted, the state of what exists."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def _home(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if os.path.isabs(value) else Path.home() / default
    return base / "ergosphere"


def cache() -> Path:
    """Give the directory of everything that can be made again (XDG_CACHE_HOME)."""
    return _home("XDG_CACHE_HOME", ".cache")


def clusters() -> Path:
    """Give the directory that holds one directory per existing cluster (XDG_STATE_HOME)."""
    return _home("XDG_STATE_HOME", ".local/state") / "clusters"
