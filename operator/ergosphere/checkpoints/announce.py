"""Announcements: before they store their pages, the ranks of a checkpoint tell each other what these are.

So each page is stored by the lowest rank that has it, although all ranks upload at the same time.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from ergosphere.checkpoints import upload as uploads
from ergosphere.checkpoints.codec import digest
from ergosphere.checkpoints.known import Known
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.notes import Announced, Segment, Upload
from ergosphere.checkpoints.pages import Prints
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.recipe import RankRef
from ergosphere.checkpoints.spool import PRINT_BYTES, STRETCH_BYTES, Spool
from ergosphere.checkpoints.stretches import Stretches

_SEGMENT_PAGES = 1 << 16
_SEGMENT_STRETCHES = 1 << 15
_POLL = 0.1


def announce(place: Place, begun: uploads.Begun, spool: Spool) -> None:
    """Write the fingerprints, and then the stretches, where the other ranks find them."""

    def parts(found: Iterator[bytes], segments: list[Segment]) -> Iterator[bytes]:
        for data in found:
            sealed = place.codec.seal(data)
            segments.append(Segment(length=len(sealed), digest=digest(sealed)))
            yield sealed

    prints, stretches = list[Segment](), list[Segment]()
    written = chain(
        parts(spool.prints(_SEGMENT_PAGES), prints), parts(spool.stretches(_SEGMENT_STRETCHES), stretches)
    )
    place.blobs.put(place.domain.pack(f"{begun.token}-prints"), written)
    begun.announce(Announced(pages=spool.pages, segments=tuple(prints), stretches=tuple(stretches)))


def heard(
    place: Place, checkpoint: CheckpointId, ranks: Sequence[int], patience: float, stop: threading.Event
) -> list[Upload]:
    """The announcements of these ranks, in their order; late ones are waited for up to `patience` seconds.

    Who is not heard in time is not built upon: that costs space, and nothing else.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        # As long as a note is to be waited for, those that are there need not be read.
        notes = _notes(place, checkpoint, ranks)
        found = _announced(place, notes) if len(notes) >= len(ranks) else {}
        if len(found) == len(ranks) or stop.wait(_POLL):
            break
    else:
        found = _announced(place, _notes(place, checkpoint, ranks))
    return [found[rank] for rank in ranks if rank in found]


def known_rank(place: Place, upload: Upload, announced: Announced) -> Known:
    """What a rank announced, its fingerprints verified as they are loaded."""

    def load(nth: int) -> Prints:
        data = _segment(place, upload, announced, nth, PRINT_BYTES * _SEGMENT_PAGES)
        return np.frombuffer(data, dtype="<u8").reshape(-1, 2)

    return Known(RankRef(rank=upload.rank, token=upload.token, pages=announced.pages), _SEGMENT_PAGES, load)


def known_stretches(place: Place, upload: Upload, announced: Announced) -> Iterator[Stretches]:
    """The stretches that a rank announced, verified."""
    first = len(announced.segments)
    for nth in range(first, first + len(announced.stretches)):
        data = _segment(place, upload, announced, nth, STRETCH_BYTES * _SEGMENT_STRETCHES)
        yield np.frombuffer(data, dtype="<u8").reshape(-1, 4)


def _segment(place: Place, upload: Upload, announced: Announced, nth: int, most: int) -> bytes:
    segments = (*announced.segments, *announced.stretches)
    begin, key = sum(one.length for one in segments[:nth]), place.domain.pack(f"{upload.token}-prints")

    def read() -> bytes:
        sealed = place.blobs.get_range(key, begin, segments[nth].length)
        return place.codec.open(sealed, most, segments[nth].digest)

    return place.trusted(key, read)


def _notes(place: Place, checkpoint: CheckpointId, ranks: Sequence[int]) -> list[str]:
    """The keys of the notes of these ranks' uploads."""
    wanted = {str(rank) for rank in ranks}
    return [
        entry.key
        for entry in place.blobs.list(place.domain.uploads_of(checkpoint))
        if entry.key.rpartition("/")[2].partition("-")[0] in wanted
    ]


def _announced(place: Place, notes: list[str]) -> dict[int, Upload]:
    read = [uploads.read(place.blobs, key) for key in notes]
    return {note.rank: note for note in read if note and note.announced}
