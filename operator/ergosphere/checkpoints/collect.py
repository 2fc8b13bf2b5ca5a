"""Collecting what nothing names any more. `docs/checkpoint-format.md` argues why this loses nothing."""

import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ergosphere.checkpoints import catalog
from ergosphere.checkpoints import upload as uploads
from ergosphere.checkpoints.blobs import Blobs, Entry
from ergosphere.checkpoints.errors import Corrupt, Missing
from ergosphere.checkpoints.notes import Condemned
from ergosphere.checkpoints.places import Domain, checkpoint_in, token_in

UPLOAD_LIFE = 24 * 3600.0  # seconds after which an upload that did not end counts as crashed

END_LIFE = 30 * UPLOAD_LIFE

_log = logging.getLogger(__name__)


def collect(blobs: Blobs, domain: Domain, now: float) -> Iterator[Entry]:
    """Remove all packs and recipes that neither a manifest nor an upload names, giving each as it goes.

    `now` is in seconds since the epoch. Uploads begun more than `UPLOAD_LIFE` ago are abandoned first.
    Killed at any point, or run several times at once, it loses nothing, and the next run continues.
    """
    _end_uploads(blobs, domain, now - UPLOAD_LIFE)
    _forget_ends(blobs, domain, now - END_LIFE)
    _sweep(blobs, domain, now - UPLOAD_LIFE)
    # Before the packs are listed: all that an unreadable list condemned, and is there, is to be among them.
    unreadable = [key for key, condemned in _lists(blobs, domain) if condemned is None]
    stored = {_name(entry): entry for entry in blobs.list(domain.packs)}
    named = _Named(blobs, domain)
    _condemn(blobs, domain, stored if unreadable else [name for name in stored if name not in named])
    for key in unreadable:
        _log.warning("%s cannot be read: nothing that is stored now will be built upon again", key)
        blobs.delete(key)
    for key, condemned in list(_lists(blobs, domain)):
        if condemned:
            yield from _remove(blobs, domain, stored, key, condemned)


def _lists(blobs: Blobs, domain: Domain) -> Iterator[tuple[str, Condemned | None]]:
    """The keys of all lists of condemned packs, and the lists; None for one that cannot be read."""
    for entry in blobs.list(domain.condemned):
        with suppress(Missing):
            try:
                yield entry.key, uploads.condemned(blobs, entry.key)
            except Corrupt:
                yield entry.key, None


def _condemn(blobs: Blobs, domain: Domain, packs: Iterable[str]) -> None:
    """Write a list of these packs, unless there are none."""
    condemned = Condemned(packs=tuple(sorted(packs)))
    if condemned.packs:
        key = f"{domain.condemned}{secrets.token_hex(16)}"
        blobs.put(key, [condemned.model_dump_json().encode()])


def _remove(
    blobs: Blobs, domain: Domain, stored: dict[str, Entry], key: str, condemned: Condemned
) -> Iterator[Entry]:
    """Remove what is still unnamed now that no new upload can come to name it."""
    named = _Named(blobs, domain)
    kept = False
    for name in condemned.packs:
        if name in named:
            kept = True
            continue
        blobs.delete(domain.pack(name))
        if name in stored:
            yield stored.pop(name)
    if not kept:
        blobs.delete(key)


class _Named:
    """What manifests and uploads name, the uploads read before the manifests that they may become."""

    def __init__(self, blobs: Blobs, domain: Domain) -> None:
        self._uploads = {upload.token: upload for _, upload in uploads.uploads(blobs, domain.uploads)}
        self._pins = {pin for upload in self._uploads.values() for pin in upload.pins}
        self._kept = {
            name
            for manifest in catalog.manifests(blobs, domain, domain.manifests)
            for name in manifest.stored
        }

    def __contains__(self, name: str) -> bool:
        return name in self._kept or name in self._pins or name.partition("-")[0] in self._uploads


def _end_uploads(blobs: Blobs, domain: Domain, before: float) -> None:
    """Forget uploads that are over: their checkpoint was committed or ended, or they crashed long ago."""
    for entry in list(blobs.list(domain.uploads)):
        checkpoint = checkpoint_in(entry.key)
        if checkpoint is None:
            continue
        if entry.modified < before:
            blobs.create(domain.manifest(checkpoint), b"")
        if catalog.is_settled(blobs, domain, checkpoint):
            blobs.delete(entry.key)


def _sweep(blobs: Blobs, domain: Domain, before: float) -> None:
    """Remove what crashed writers left half written: files of uploads that are over, and all old ones.

    An upload's note is there before its first file is begun, and goes when nothing can come of it any more.
    """
    found = list(blobs.list(domain.unfinished))
    live = {entry.key.rpartition("-")[2] for entry in blobs.list(domain.uploads)}
    for entry in found:
        token = token_in(entry.key)
        if entry.modified < before or (token and token not in live):
            blobs.delete(entry.key)


def _forget_ends(blobs: Blobs, domain: Domain, before: float) -> None:
    """Remove the marks of checkpoints that ended so long ago that no writer of them is left."""
    for entry in list(blobs.list(domain.manifests)):
        if entry.size == 0 and entry.modified < before:
            blobs.delete(entry.key)


def _name(entry: Entry) -> str:
    return entry.key.rpartition("/")[2]
