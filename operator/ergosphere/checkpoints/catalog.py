"""The catalogue: which checkpoints exist, and which have ended for good."""

import logging
from collections.abc import Iterator

from pydantic import ValidationError

from ergosphere.checkpoints.blobs import Blobs, Entry
from ergosphere.checkpoints.errors import Corrupt, Missing
from ergosphere.checkpoints.manifest import Manifest
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.places import Domain

_log = logging.getLogger(__name__)
_OTHER_JOBS = 3


def read_manifest(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> Manifest | None:
    """The manifest, or None if there is none, or it was ended; raises `Corrupt`."""
    try:
        data = blobs.get(domain.manifest(checkpoint))
    except Missing:
        return None
    return _parse(data, str(checkpoint)) if data else None


def is_settled(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> bool:
    """Whether the checkpoint was committed, abandoned or deleted: nothing more can come of its uploads."""
    try:
        blobs.get(domain.manifest(checkpoint))
    except Missing:
        return False
    return True


def manifests(blobs: Blobs, domain: Domain, prefix: str) -> Iterator[Manifest]:
    """All checkpoints below `prefix`, in no order; raises `Corrupt`."""
    for entry in blobs.list(prefix):
        try:
            data = blobs.get(entry.key) if entry.size else b""
        except Missing:
            continue
        if data:
            yield _parse(data, entry.key.removeprefix(domain.manifests))


def exists(blobs: Blobs, domain: Domain, manifest: Manifest) -> bool:
    """Whether this checkpoint still exists."""
    return read_manifest(blobs, domain, CheckpointId.parse(manifest.id)) is not None


def bases(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> list[Manifest]:
    """What a new checkpoint may have pages in common with: the newest of its job and of a few others."""
    jobs: dict[str, Entry] = {}
    for entry in sorted(blobs.list(domain.manifests), key=lambda entry: entry.modified):
        if entry.size and entry.key != domain.manifest(checkpoint):
            jobs[entry.key.rpartition("/")[0]] = entry
    own = jobs.pop(domain.manifests_of(checkpoint.namespace, checkpoint.job).rstrip("/"), None)
    others = sorted(jobs.values(), key=lambda entry: entry.modified, reverse=True)[:_OTHER_JOBS]
    wanted = [
        CheckpointId.parse(entry.key.removeprefix(domain.manifests)) for entry in (own, *others) if entry
    ]
    return [found for found in (_readable(blobs, domain, name) for name in wanted) if found]


def _readable(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> Manifest | None:
    try:
        return read_manifest(blobs, domain, checkpoint)
    except Corrupt as error:
        _log.warning("not built upon: %s", error)
        return None


def _parse(data: bytes, expected: str) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise Corrupt(f"{expected}: not a manifest this version understands") from error
    if manifest.id != expected:
        raise Corrupt(f"{expected}: the manifest there is of another checkpoint")
    return manifest
