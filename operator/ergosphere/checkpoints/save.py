"""Saving one rank: what is stored already is learnt, the images are read, what is new is written."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np

from ergosphere.checkpoints.announce import announce, heard, known_rank, known_stretches
from ergosphere.checkpoints.base import known_packs
from ergosphere.checkpoints.codec import digest
from ergosphere.checkpoints.cores import width
from ergosphere.checkpoints.dedup import Deduplicator
from ergosphere.checkpoints.errors import Unavailable
from ergosphere.checkpoints.images import Chunk, chunks, survey
from ergosphere.checkpoints.index import PageIndex
from ergosphere.checkpoints.manifest import RankEntry
from ergosphere.checkpoints.pages import Printer
from ergosphere.checkpoints.peers import lower_peers
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.reader import Read, Reader, cut, fingerprinted
from ergosphere.checkpoints.recipe import ZEROS, FileEntry, PackRef, Recipe, Runs, Source
from ergosphere.checkpoints.spool import Spool
from ergosphere.checkpoints.stretches import NONE
from ergosphere.checkpoints.upload import Begun
from ergosphere.checkpoints.writer import PackWriter

_TRANSFERS = 4
_PATIENCE = 2.0  # seconds to wait for other ranks, on top of the time that reading took


class Saving:
    """One rank being saved. `stop` makes it end soon, with `Unavailable`."""

    def __init__(self, place: Place, images: Path, world: int, begun: Begun, stop: threading.Event) -> None:
        self._place, self._images, self._world = place, images, world
        self._begun, self._stop = begun, stop
        self._files = survey(images)
        self._chunks = list(chunks(images, self._files))

    def run(self) -> RankEntry:
        """Store the images, and the recipe that makes them again."""
        with ThreadPoolExecutor(width()) as cores, ThreadPoolExecutor(_TRANSFERS) as transfers:
            place = self._place
            # What follows another checkpoint comes again and again, and little of it is kept for long.
            first = not self._begun.follows
            writer = PackWriter(
                place.blobs, place.domain, self._begun.token, place.codec, first, cores, transfers
            )
            try:
                recipe, written = self._pack(Reader(cores, width()), writer, transfers)
            except BaseException:
                writer.abort()
                raise
        return self._keep(recipe, sum(pack.size for pack in written))

    def _pack(
        self, reader: Reader, writer: PackWriter, transfers: ThreadPoolExecutor
    ) -> tuple[Recipe, list[PackRef]]:
        seed = self._place.seed()
        printer = Printer(seed)
        deduplicator = Deduplicator(writer, PageIndex(sum(chunk.pages for chunk in self._chunks)))
        with closing(Spool(self._images.parent)) as spool:
            if self._world > 1:
                self._learn_ranks(deduplicator, reader(self._chunks, cut(printer, seed)), spool)
            for known, prints in known_packs(self._place, self._begun, transfers):
                deduplicator.learn(known, [prints])
            once = self._world == 1
            reads = reader(self._chunks, fingerprinted(printer)) if once else self._again(reader, spool)
            runs, checksums = self._placed(deduplicator, reads)
        written = writer.finish()
        return _described(self._files, self._chunks, deduplicator.sources(written), runs, checksums), written

    def _learn_ranks(self, deduplicator: Deduplicator, reads: Iterator[Read], spool: Spool) -> None:
        """Read everything once, tell the other ranks, and hear from those below."""
        began = time.monotonic()
        for read in reads:
            self._check()
            spool.append(read.prints, read.checksum, read.stretches)
        announce(self._place, self._begun, spool)
        patience = time.monotonic() - began + _PATIENCE
        ranks = lower_peers(self._begun.note.rank, self._world)
        for other in heard(self._place, self._begun.checkpoint, ranks, patience, self._stop):
            if other.announced and other.announced.pages:
                known = known_rank(self._place, other, other.announced)
                deduplicator.learn(known, map(known.load, range(known.pieces)))
                for stretches in known_stretches(self._place, other, other.announced):
                    deduplicator.learn_stretches(stretches)

    def _again(self, reader: Reader, spool: Spool) -> Iterator[Read]:
        """The same chunks once more, with what the first reading found out."""
        nothing = np.empty((0, 2), dtype=np.uint64)
        again = reader(self._chunks, lambda pages: Read(pages, nothing, 0, NONE))
        for read, known in zip(again, spool.chunks(), strict=True):
            yield Read(read.pages, *known)

    def _placed(self, deduplicator: Deduplicator, reads: Iterator[Read]) -> tuple[list[Runs], list[int]]:
        runs, checksums = [], []
        for read in reads:
            self._check()
            runs.append(deduplicator.place(read.pages, read.prints, read.stretches))
            checksums.append(read.checksum)
        return runs, checksums

    def _check(self) -> None:
        if self._stop.is_set():
            raise Unavailable("saving was cancelled")

    def _keep(self, recipe: Recipe, written: int) -> RankEntry:
        encoded = recipe.encode()
        sealed = self._place.codec.seal(encoded)
        name = f"{self._begun.token}-recipe"
        self._place.blobs.put(self._place.domain.pack(name), [sealed])
        return RankEntry(
            digest=digest(sealed),
            recipe=name,
            recipe_bytes=len(encoded),
            bytes=recipe.size,
            new_bytes=written + len(sealed),
            packs=tuple(pack.name for pack in recipe.packs),
            builds_on={other.rank: other.token for other in recipe.ranks},
        )


def _described(
    files: Sequence[FileEntry],
    read: Sequence[Chunk],
    sources: Sequence[Source],
    runs: list[Runs],
    checksums: list[int],
) -> Recipe:
    """The recipe, without the sources that no run names."""
    joined = np.concatenate([np.empty((0, 3), dtype=np.uint32), *runs])
    named = np.unique(joined[:, 0])
    named = named[named != ZEROS]
    numbers = np.zeros(len(sources) + 1, dtype=np.uint32)
    numbers[named] = np.arange(1, len(named) + 1, dtype=np.uint32)
    joined[:, 0] = numbers[joined[:, 0]]
    return Recipe(
        files=files,
        sources=[sources[number - 1] for number in named],
        runs=joined,
        chunk_pages=np.array([chunk.pages for chunk in read], dtype=np.uint32),
        chunk_sums=np.array(checksums, dtype=np.uint64),
    )
