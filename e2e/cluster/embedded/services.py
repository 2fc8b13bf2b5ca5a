"""The shape of what a machine runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BINARIES = "/run/ergosphere/bin"
MACHINE = "/run/ergosphere/machine"
ETC = f"{MACHINE}/etc"
SHARED = "/var/lib/ergosphere"  # one directory for all machines, as a network file system would be


@dataclass(frozen=True)
class Software:
    """Where a machine sees the programs: one directory per Go module."""

    directories: Mapping[str, str]

    @classmethod
    def of(cls, built: Mapping[str, Path]) -> "Software":
        """Take the directories the modules were built into; a machine sees them below one mount."""
        return cls({name: f"{BINARIES}/{path.name}" for name, path in built.items()})

    def program(self, module: str, name: str) -> str:
        """Give a program's path on a machine."""
        return f"{self.directories[module]}/{name}"

    @property
    def path(self) -> str:
        """Give the PATH of a machine."""
        return ":".join([*self.directories.values(), "/usr/sbin:/usr/bin:/sbin:/bin"])


@dataclass(frozen=True)
class Plan:
    """What one machine needs: files in its /etc, `ip` commands, services, directories bound into place."""

    files: dict[str, str]
    network: list[str]
    services: list[dict[str, Any]]
    binds: dict[str, str] = field(default_factory=dict)


def flags(program: str, **values: object) -> list[str]:
    """Render a command line; `some_flag=x` becomes `--some-flag=x`."""
    return [program, *(f"--{key.replace('_', '-')}={value}" for key, value in values.items())]


def api_ready(server: str) -> dict[str, str]:
    """Give the condition that the API server is ready."""
    return {"url": f"{server}/readyz", "authority": f"{ETC}/ca.crt"}
