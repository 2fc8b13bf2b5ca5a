"""Builds the repository's images into archives."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries, paths
from cluster.images import base, inputs
from cluster.images.engine import Buildah, Engine, choose
from cluster.progress import step
from cluster.provider import ClusterError
from cluster.versions import read_versions

PREFIX = "ergosphere.dev"


@dataclass(frozen=True)
class Image:
    """An image of the repository: named after its Dockerfile's directory."""

    name: str
    dockerfile: Path

    @property
    def tag(self) -> str:
        """Give the reference under which pods name it."""
        return f"{PREFIX}/{self.name}:dev"

    @property
    def archive(self) -> Path:
        """Give where its archive is kept."""
        return paths.cache() / "images" / "archives" / f"{self.name}.tar"


def find(repository: Path = paths.REPOSITORY) -> dict[str, Image]:
    """Find the Dockerfiles under images/ and examples/. Raises ClusterError where two have the same name."""
    found: dict[str, Image] = {}
    for path in sorted([*repository.glob("images/*/Dockerfile"), *repository.glob("examples/*/Dockerfile")]):
        if path.parent.name in found:
            raise ClusterError(f"two images are named {path.parent.name}")
        found[path.parent.name] = Image(path.parent.name, path)
    return found


def select(names: Sequence[str]) -> list[Image]:
    """Give the named images, or all. Raises ClusterError for an unknown name."""
    known = find()
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ClusterError(f"no Dockerfile for {', '.join(unknown)}; there are {', '.join(known) or 'none'}")
    return [known[name] for name in names or known]


def build(images: Sequence[Image]) -> list[Image]:
    """Build those whose inputs changed since their archive was made; returns them. Raises ClusterError."""
    engine = choose()
    debian = read_versions().debian
    built = []
    for image in images:
        image.archive.parent.mkdir(parents=True, exist_ok=True)
        with binaries.locked(image.archive.with_suffix(".lock")):
            made_with = f"{type(engine).__name__} {base.archive(debian).name}"
            digest = inputs.digest(image.dockerfile, paths.REPOSITORY, made_with)
            if _recorded(image) == digest:
                continue
            with binaries.locked(image.archive.parent / ".engine.lock"):
                if isinstance(engine, Buildah):
                    base.ensure(debian, engine)
                with step(f"building {image.tag}"):
                    _build(engine, image, digest)
        built.append(image)
    return built


def _recorded(image: Image) -> str | None:
    try:
        return str(json.loads(image.archive.with_suffix(".json").read_text())["inputs"])
    except FileNotFoundError:
        return None


def _build(engine: Engine, image: Image, digest: str) -> None:
    record = image.archive.with_suffix(".json")
    record.unlink(missing_ok=True)
    scratch = image.archive.with_suffix(".new")
    engine.build(image.dockerfile, paths.REPOSITORY, image.tag, scratch)
    scratch.rename(image.archive)
    record.write_text(json.dumps({"inputs": digest}))
