"""The base image, bootstrapped from Debian's own packages where no registry can be asked."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from cluster import binaries, paths
from cluster.images.engine import Buildah, run
from cluster.progress import step
from cluster.versions import Debian

SCRIPT = "/usr/share/debootstrap/scripts/sid"
_DEFAULT_MIRROR = ""
# What the slim images of the same name leave out as well.
LEFT_OUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/lib/apt/lists",
    "var/cache/apt",
)
# A mirror that lags behind is still signed; apt would refuse its date. What apt keeps only fills images.
APT_SETTINGS = """\
Acquire::Check-Valid-Until "false";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
DPKG_SETTINGS = (
    "path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\n"
)


def archive(debian: Debian) -> Path:
    """Give the archive that holds this base image in the cache, made or not."""
    recipe = repr((debian, LEFT_OUT, APT_SETTINGS, DPKG_SETTINGS)).encode()
    digest = hashlib.sha256(recipe).hexdigest()[:12]
    return paths.cache() / "images" / f"debian-{debian.suite}-{digest}.tar"


def ensure(debian: Debian, engine: Buildah) -> None:
    """Put the base image into the engine's store, from the cache if it is there. Raises ClusterError."""
    target = archive(debian)
    with binaries.locked(target.with_suffix(".lock")):
        marker = target.with_suffix(".loaded")
        if marker.exists() and engine.has(debian.image):
            return
        if target.exists():
            with step(f"loading {debian.image}"):
                engine.load(target, debian.image)
        else:
            with step(f"bootstrapping {debian.image}"):
                _bootstrap(debian, engine, target)
        marker.touch()


def _bootstrap(debian: Debian, engine: Buildah, target: Path) -> None:
    scratch = binaries.fresh(target.with_suffix(".new"))
    root = scratch / "root"
    bootstrap(debian.suite, debian.packages, root)
    engine.commit(root, debian.image)
    engine.save(debian.image, scratch / "image.tar")
    (scratch / "image.tar").rename(target)
    shutil.rmtree(scratch)


def bootstrap(suite: str, packages: Sequence[str], root: Path) -> None:
    """Install a suite's base system and these packages into a directory, and slim it. Raises ClusterError."""
    options = ["--variant=minbase", f"--include={','.join(packages)}"]
    # In a mount namespace of its own: an interrupted bootstrap would leave its /proc mounted.
    run(["unshare", "--mount", "debootstrap", *options, suite, str(root), _DEFAULT_MIRROR, SCRIPT])
    slim(root)


def slim(root: Path) -> None:
    """Remove documentation, caches and traces of this machine, and keep packages from bringing them back."""
    for path in LEFT_OUT:
        shutil.rmtree(root / path, ignore_errors=True)
        (root / path).mkdir(parents=True)
    for name in ("etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)
    for log in (root / "var/log").glob("*.log"):
        log.unlink()
    (root / "etc/apt/apt.conf.d/90ergosphere").write_text(APT_SETTINGS)
    (root / "etc/dpkg/dpkg.cfg.d/90ergosphere").write_text(DPKG_SETTINGS)
