"""Making a checkpoint exist, and ending it: one object, written once, decides both."""

from ergosphere.checkpoints import catalog
from ergosphere.checkpoints import upload as uploads
from ergosphere.checkpoints.blobs import Blobs
from ergosphere.checkpoints.errors import Missing, Refused
from ergosphere.checkpoints.manifest import Manifest, RankEntry
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.places import Domain


def commit(
    blobs: Blobs,
    domain: Domain,
    checkpoint: CheckpointId,
    digests: tuple[str, ...],
    meta: dict[str, str],
    now: float,
) -> Manifest:
    """Write the manifest unless something is in its place; see `Store.commit`. `now` in seconds."""
    entries = _saved(blobs, domain, checkpoint, digests)
    if entries is not None:
        manifest = Manifest(id=str(checkpoint), created=now, ranks=entries, meta=meta)
        blobs.create(domain.manifest(checkpoint), manifest.model_dump_json().encode())
    there = _existing(blobs, domain, checkpoint)
    if tuple(rank.digest for rank in there.ranks) != digests:
        raise Refused(f"checkpoint {checkpoint} exists with other ranks")
    _forget_uploads(blobs, domain, checkpoint)
    return there


def abandon(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> None:
    """See `Store.abandon`."""
    if blobs.create(domain.manifest(checkpoint), b""):
        _forget_uploads(blobs, domain, checkpoint)


def delete(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> None:
    """See `Store.delete`."""
    blobs.put(domain.manifest(checkpoint), [b""])
    _forget_uploads(blobs, domain, checkpoint)


def _saved(
    blobs: Blobs, domain: Domain, checkpoint: CheckpointId, digests: tuple[str, ...]
) -> tuple[RankEntry, ...] | None:
    """What was saved for each rank; None if the checkpoint is settled already."""
    notes = [upload for _, upload in uploads.uploads(blobs, domain.uploads_of(checkpoint))]
    if catalog.is_settled(blobs, domain, checkpoint):
        return None
    found = {(note.rank, note.result.digest): note.result for note in notes if note.result}
    missing = [rank for rank, digest in enumerate(digests) if (rank, digest) not in found]
    if missing:
        raise Missing(f"checkpoint {checkpoint}: rank {missing[0]} was not saved with that digest")
    entries = tuple(found[rank, digest] for rank, digest in enumerate(digests))
    _check_taken(checkpoint, entries)
    return entries


def _check_taken(checkpoint: CheckpointId, entries: tuple[RankEntry, ...]) -> None:
    """A rank's pages were numbered by one of its uploads; those who took some must mean that one."""
    for rank, entry in enumerate(entries):
        for other, token in entry.builds_on.items():
            if other >= rank or entries[other].token != token:
                raise Refused(
                    f"checkpoint {checkpoint}: rank {rank} builds on an upload of rank {other} that was "
                    "repeated; take another checkpoint"
                )


def _existing(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> Manifest:
    there = catalog.read_manifest(blobs, domain, checkpoint)
    if there is None:
        raise Refused(f"checkpoint {checkpoint} was abandoned or deleted; take another under a new name")
    return there


def _forget_uploads(blobs: Blobs, domain: Domain, checkpoint: CheckpointId) -> None:
    for entry in list(blobs.list(domain.uploads_of(checkpoint))):
        blobs.delete(entry.key)
