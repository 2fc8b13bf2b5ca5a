"""An upload in progress: the note that keeps a collection's hands off what will soon be named.

The protocol, with the argument why it loses nothing, is in `docs/checkpoint-format.md`.
"""

import logging
import secrets
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from ergosphere.checkpoints import catalog
from ergosphere.checkpoints.blobs import Blobs, Entry
from ergosphere.checkpoints.errors import Corrupt, Missing, Refused
from ergosphere.checkpoints.manifest import RankEntry
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.notes import Announced, Condemned, Upload
from ergosphere.checkpoints.places import Domain

_log = logging.getLogger(__name__)


class Begun:
    """An upload that was noted. `bases` are what it may build on, `usable` what of them is sure to stay."""

    def __init__(self, blobs: Blobs, domain: Domain, checkpoint: CheckpointId, rank: int) -> None:
        """Note the upload, and find what it may build on.

        The note is written first, then the lists of the condemned are read, then the bases are seen to exist
        still: whoever removes something of a base after this has seen the note. A list that cannot be read
        may condemn anything, so nothing is built upon then: that costs space, and no save may fail for it.
        """
        self._blobs, self._domain, self.checkpoint = blobs, domain, checkpoint
        found = catalog.bases(blobs, domain, checkpoint)
        pins = sorted({name for base in found for name in base.stored})
        self.note = Upload(rank=rank, token=secrets.token_hex(16), pins=tuple(pins))
        self._write()
        doomed = _doomed(blobs, domain)
        kept = found if doomed is not None else []
        self.bases = [base for base in kept if catalog.exists(blobs, domain, base)]
        self.usable = frozenset(name for base in self.bases for name in base.stored) - (doomed or set())

    @property
    def follows(self) -> bool:
        """Whether its job has a checkpoint already."""
        jobs = {(base.namespace, base.job) for base in map(CheckpointId.parse, (b.id for b in self.bases))}
        return (self.checkpoint.namespace, self.checkpoint.job) in jobs

    @property
    def token(self) -> str:
        """What the names of all that this upload stores begin with."""
        return self.note.token

    def announce(self, announced: Announced) -> None:
        """Tell the other ranks what pages this one has."""
        self.note = self.note.model_copy(update={"announced": announced})
        self._write()

    def finish(self, result: RankEntry) -> None:
        """Tell `commit` what was stored."""
        self.note = self.note.model_copy(update={"result": result})
        self._write()

    def _write(self) -> None:
        key = self._domain.upload(self.checkpoint, self.note.rank, self.note.token)
        self._blobs.put(key, [self.note.model_dump_json().encode()], durable=False)


def upload(
    blobs: Blobs,
    domain: Domain,
    checkpoint: CheckpointId,
    rank: int,
    store: Callable[[Begun], RankEntry],
) -> RankEntry:
    """Upload one rank: `store` writes packs and recipe, named `<token>-...`, and may name what is usable.

    A rank that was uploaded before gives the first result. Raises `Refused` if the checkpoint was ended
    or exists, and whatever `store` raises.
    """
    if catalog.is_settled(blobs, domain, checkpoint):
        raise Refused(f"checkpoint {checkpoint} exists or has existed; take another under a new name")
    for _, earlier in uploads(blobs, domain.uploads_of(checkpoint)):
        if earlier.rank == rank and earlier.result:
            return earlier.result
    begun = Begun(blobs, domain, checkpoint, rank)
    result = store(begun)
    begun.finish(result)
    return result


def read(blobs: Blobs, key: str) -> Upload | None:
    """The upload noted under `key`, None if it is gone; raises `Corrupt`."""
    try:
        return Upload.model_validate_json(blobs.get(key))
    except Missing:
        return None
    except ValidationError as error:
        raise Corrupt(f"{key}: not an upload's note") from error


def uploads(blobs: Blobs, prefix: str) -> Iterator[tuple[Entry, Upload]]:
    """All uploads noted below `prefix`, with where and when; raises `Corrupt`."""
    for entry in blobs.list(prefix):
        if upload := read(blobs, entry.key):
            yield entry, upload


def condemned(blobs: Blobs, key: str) -> Condemned:
    """The list of condemned packs under `key`; raises `Missing`, `Corrupt`."""
    try:
        return Condemned.model_validate_json(blobs.get(key))
    except ValidationError as error:
        raise Corrupt(f"{key}: not a list of packs") from error


def _doomed(blobs: Blobs, domain: Domain) -> set[str] | None:
    """All that is condemned; None if that cannot be known.

    A list that went after it was seen may have given way to one that was not there then.
    """
    try:
        lists = [condemned(blobs, entry.key) for entry in blobs.list(domain.condemned)]
    except (Missing, Corrupt) as error:
        _log.warning("nothing is built upon: %s", error)
        return None
    return {name for one in lists for name in one.packs}
