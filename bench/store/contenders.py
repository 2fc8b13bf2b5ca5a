"""What is compared: our store, cp, restic and borg, each keeping directories and giving them back."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ergosphere.checkpoints import Store
from ergosphere.checkpoints.catalog import manifests
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.directory import Directory
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.places import Domain

SECRET = "benchmark"  # noqa: S105 - restic cannot do without one


class Contender(Protocol):
    """Keeps process images below a directory of its own."""

    def keep(self, cut: int, ranks: list[Path]) -> None:
        """Store these images as one checkpoint, durably."""

    def give_back(self, cut: int, rank: int, target: Path) -> None:
        """Write one rank's images into `target`."""

    def size(self) -> int:
        """Bytes on the disk."""


class Ergosphere:
    """The checkpoint store on a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = Store.open(f"file://{root}")

    def keep(self, cut: int, ranks: list[Path]) -> None:
        """See `Contender.keep`."""
        asyncio.run(self._keep(f"bench/trainer/cut-{cut}", ranks))

    def give_back(self, cut: int, rank: int, target: Path) -> None:
        """See `Contender.give_back`."""
        asyncio.run(self._store.fetch(f"bench/trainer/cut-{cut}", rank, target))

    def size(self) -> int:
        """See `Contender.size`."""
        return tree_size(self._root)

    def pages(self) -> int:
        """How many pages the packs of all checkpoints hold."""
        place = Place(Directory(self._root), Domain("bench"), Codec())
        packs = {
            pack.name: pack.pages
            for manifest in manifests(place.blobs, place.domain, place.domain.manifests)
            for rank in range(len(manifest.ranks))
            for pack in place.recipe(manifest, rank).packs
        }
        return sum(packs.values())

    async def _keep(self, name: str, ranks: list[Path]) -> None:
        saved = [
            await self._store.save(images, name, rank, world=len(ranks)) for rank, images in enumerate(ranks)
        ]
        await self._store.commit(name, [one.digest for one in saved], {})


class Copy:
    """`cp -r`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, cut: int, ranks: list[Path]) -> None:
        """See `Contender.keep`."""
        for rank, images in enumerate(ranks):
            target = self._root / f"{cut}-{rank}"
            target.parent.mkdir(parents=True, exist_ok=True)
            _run(["cp", "-r", str(images), str(target)])
            flush(target)

    def give_back(self, cut: int, rank: int, target: Path) -> None:
        """See `Contender.give_back`."""
        _run(["cp", "-r", str(self._root / f"{cut}-{rank}"), str(target)])

    def size(self) -> int:
        """See `Contender.size`."""
        return tree_size(self._root)


class Restic:
    """restic with its defaults, on a local repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._environment = {
            "RESTIC_REPOSITORY": str(root),
            "RESTIC_PASSWORD": SECRET,
            "HOME": str(root.parent),
        }
        self._restic("init")

    def keep(self, cut: int, ranks: list[Path]) -> None:
        """See `Contender.keep`."""
        for rank, images in enumerate(ranks):
            self._restic("backup", "--tag", f"{cut}-{rank}", str(images))

    def give_back(self, cut: int, rank: int, target: Path) -> None:
        """See `Contender.give_back`."""
        self._restic("restore", "latest", "--tag", f"{cut}-{rank}", "--target", str(target))

    def size(self) -> int:
        """See `Contender.size`."""
        return tree_size(self._root)

    def _restic(self, *arguments: str) -> None:
        _run(["restic", "--no-cache", "--quiet", *arguments], self._environment)


class Borg:
    """borg with its defaults, without encryption."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._environment = {
            "BORG_REPO": str(root),
            "BORG_BASE_DIR": str(root.with_suffix(".base")),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }
        self._borg(Path.cwd(), "init", "--encryption", "none")

    def keep(self, cut: int, ranks: list[Path]) -> None:
        """See `Contender.keep`."""
        for rank, images in enumerate(ranks):
            self._borg(images, "create", f"::{cut}-{rank}", ".")

    def give_back(self, cut: int, rank: int, target: Path) -> None:
        """See `Contender.give_back`."""
        target.mkdir(parents=True)
        self._borg(target, "extract", f"::{cut}-{rank}")

    def size(self) -> int:
        """See `Contender.size`."""
        return tree_size(self._root)

    def _borg(self, where: Path, *arguments: str) -> None:
        _run(["borg", *arguments], self._environment, where)


CONTENDERS: Mapping[str, type[Ergosphere] | type[Copy] | type[Restic] | type[Borg]] = {
    "cp": Copy,
    "ergosphere": Ergosphere,
    "restic": Restic,
    "borg": Borg,
}


def tree_size(root: Path) -> int:
    """The bytes of all files below `root`."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def flush(root: Path) -> None:
    """Wait until all files below `root` are on the disk."""
    for path in [root, *root.rglob("*")]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def forget(root: Path) -> None:
    """Remove a directory, if it is there."""
    shutil.rmtree(root, ignore_errors=True)


def _run(command: list[str], environment: Mapping[str, str] | None = None, where: Path | None = None) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
