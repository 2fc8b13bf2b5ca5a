"""What a Dockerfile takes from its context."""

import json
import shlex
from collections.abc import Iterator


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Split a Dockerfile into instructions: upper-case name and arguments, continuation lines joined."""
    pending = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        name, _, arguments = (pending + line).partition(" ")
        pending = ""
        yield name.upper(), arguments.strip()


def sources(text: str) -> list[str]:
    """List the context paths that COPY and ADD name, patterns as written, without other stages and URLs."""
    found: list[str] = []
    for name, arguments in instructions(text):
        if name in {"COPY", "ADD"}:
            found += _copied(arguments)
    return found


def _copied(arguments: str) -> list[str]:
    words = arguments.split()
    options = [word for word in words if word.startswith("--")]
    if any(option.startswith("--from=") for option in options):
        return []
    rest = arguments.split(None, len(options))[len(options)] if options else arguments
    paths = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
    return [path for path in paths[:-1] if "://" not in path]


def bases(text: str) -> list[str]:
    """List the images that FROM names, without the names of earlier stages."""
    stages: set[str] = set()
    found: list[str] = []
    for name, arguments in instructions(text):
        if name != "FROM":
            continue
        words = [word for word in arguments.split() if not word.startswith("--")]
        if words[0] not in stages:
            found.append(words[0])
        if len(words) == 3:
            stages.add(words[2])
    return found
