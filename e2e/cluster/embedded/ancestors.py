"""Cgroups that had to be made above the clusters' own, shared between clusters and removed with the last."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from cluster import paths


def _file() -> Path:
    return paths.clusters() / ".made-cgroups.json"


def _read() -> list[str]:
    try:
        return list(json.loads(_file().read_text()))
    except FileNotFoundError:
        return []


def _write(ancestors: Iterable[str]) -> None:
    scratch = _file().with_suffix(".new")
    scratch.write_text(json.dumps(sorted(set(ancestors))))
    scratch.rename(_file())


def note_missing(path: Path) -> list[Path]:
    """Write down which parents of a path are missing, before they are made; returns them, outermost first."""
    missing = [parent for parent in path.parents if not parent.exists()]
    if missing:
        _write([*_read(), *map(str, missing)])
    return missing[::-1]


def remove_unused() -> None:
    """Remove the noted cgroups that nothing uses any more."""
    kept = []
    for ancestor in sorted(_read(), reverse=True):
        try:
            os.rmdir(ancestor)
        except FileNotFoundError:
            continue
        except OSError:
            kept.append(ancestor)
    if kept:
        _write(kept)
    else:
        _file().unlink(missing_ok=True)
