"""A digest over everything an image is built from, so that unchanged images are not built again."""

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cluster.images import dockerfile
from cluster.provider import ClusterError


def files(context: Path, patterns: Iterable[str]) -> list[Path]:
    """List the files below the context that the patterns reach, sorted; ignored ones only where named.

    Raises ClusterError for a pattern that reaches nothing.
    """
    found: set[Path] = set()
    for pattern in patterns:
        matches = sorted(context.glob(pattern.strip("/"))) if pattern.strip("./") else [context]
        if not matches:
            raise ClusterError(f"the build context has nothing that matches {pattern}")
        for match in matches:
            found.update(_below(context, match))
    return sorted(found)


def _below(context: Path, path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(path)]
    result = subprocess.run(command, cwd=context, capture_output=True, text=True)
    listed = [context / name for name in result.stdout.split("\0") if name] if result.returncode == 0 else []
    present = [file for file in listed if file.is_file()]
    return present or [file for file in path.rglob("*") if file.is_file()]


def digest(recipe: Path, context: Path, extra: str) -> str:
    """Hash a Dockerfile, the context files it copies (path, executable bit, content) and what else counts."""
    text = recipe.read_text()
    total = hashlib.sha256(f"{extra}\0{text}\0".encode())
    for file in files(context, dockerfile.sources(text)):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        executable = bool(file.stat().st_mode & 0o100)
        total.update(f"{file.relative_to(context)}\0{executable}\0{content}\0".encode())
    return total.hexdigest()
