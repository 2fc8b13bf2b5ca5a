"""What the store has already: the packs of earlier checkpoints that a new one is compared with."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial

from ergosphere.checkpoints.blocks import read_footer
from ergosphere.checkpoints.known import LOST, Known
from ergosphere.checkpoints.manifest import Manifest
from ergosphere.checkpoints.pack import PACK_PAGES
from ergosphere.checkpoints.pages import Prints
from ergosphere.checkpoints.peers import all_peers
from ergosphere.checkpoints.place import Place
from ergosphere.checkpoints.recipe import PackRef
from ergosphere.checkpoints.upload import Begun

_log = logging.getLogger(__name__)


def known_packs(place: Place, begun: Begun, threads: Executor) -> Iterator[tuple[Known, Prints]]:
    """The packs to compare with, each with all its fingerprints.

    A base that cannot be read is left out: that costs space, and a checkpoint must not fail for it.
    """
    packs: dict[str, PackRef] = {}
    for base in begun.bases:
        for rank in _ranks(base, begun):
            packs.update((pack.name, pack) for pack in _packs(place, base, rank))
    wanted = [pack for name, pack in packs.items() if name in begun.usable]
    for pack, prints in zip(wanted, threads.map(lambda pack: _prints(place, pack), wanted), strict=True):
        if prints is not None:
            yield Known(pack, PACK_PAGES, partial(_footer_prints, place, pack)), prints


def _ranks(base: Manifest, begun: Begun) -> list[int]:
    world = len(base.ranks)
    return (
        [rank for rank in all_peers(min(begun.note.rank, world - 1), world) if rank < world] if world else []
    )


def _packs(place: Place, base: Manifest, rank: int) -> list[PackRef]:
    try:
        return place.recipe(base, rank).packs
    except LOST as error:
        _log.warning("%s rank %d is not built upon: %s", base.id, rank, error)
        return []


def _footer_prints(place: Place, pack: PackRef, _nth: int) -> Prints:
    return read_footer(place, pack).prints


def _prints(place: Place, pack: PackRef) -> Prints | None:
    try:
        return read_footer(place, pack).prints
    except LOST as error:
        _log.warning("%s is not built upon: %s", pack.name, error)
        return None
