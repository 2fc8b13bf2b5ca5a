"""The pins of `versions.toml` as values."""

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from cluster.paths import REPOSITORY

MODULES = Path(__file__).parent / "modules"


@dataclass(frozen=True)
class GoModule:
    """A Go module whose programs are built from the go.mod and go.sum in `directory`."""

    name: str
    module: str
    version: str
    cgo: bool
    programs: dict[str, str]
    tags: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Give the directory of the go.mod that pins this module's dependencies."""
        return MODULES / self.name

    @property
    def linker_flags(self) -> str:
        """Give the value of `go build -ldflags`."""
        return " ".join(["-s", "-w", *(f"-X {key}={value}" for key, value in sorted(self.variables.items()))])

    def build_name(self) -> str:
        """Name the directory of the binaries; the name changes whenever anything they are built from does."""
        pins = [(self.directory / name).read_bytes() for name in ("go.mod", "go.sum")]
        recipe = repr(
            (self.module, self.cgo, self.tags, self.linker_flags, sorted(self.programs.items()))
        ).encode()
        digest = hashlib.sha256(b"\0".join([recipe, *pins])).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"


@dataclass(frozen=True)
class Debian:
    """The base image that every Dockerfile starts from."""

    image: str
    suite: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Packages:
    """Debian packages of a suite, with what they depend on."""

    suite: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """The image of kind's nodes where a registry can be asked; what is made instead where none can."""

    node_image: str
    engine: Packages
    node: Packages


@dataclass(frozen=True)
class Versions:
    """All pins."""

    go: dict[str, GoModule]
    debian: Debian
    kind: Kind


def read_versions(path: Path = REPOSITORY / "versions.toml") -> Versions:
    """Read the pins; raises KeyError or TypeError where a table lacks or misspells a key."""
    tables = tomllib.loads(path.read_text())
    go = {
        name: GoModule(name=name, **{**table, "tags": tuple(table.get("tags", ()))})
        for name, table in tables["go"].items()
    }
    debian, kind = tables["debian"], tables["kind"]
    engine, node = (
        Packages(kind[name]["suite"], tuple(kind[name]["packages"])) for name in ("engine", "node")
    )
    return Versions(
        go,
        Debian(**{**debian, "packages": tuple(debian["packages"])}),
        Kind(kind["node_image"], engine, node),
    )
