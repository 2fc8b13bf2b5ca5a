"""One domain of a store, and how bytes are kept there."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ergosphere.checkpoints.blobs import Blobs
from ergosphere.checkpoints.codec import Codec
from ergosphere.checkpoints.errors import Corrupt, Missing
from ergosphere.checkpoints.manifest import Manifest, RankEntry
from ergosphere.checkpoints.places import Domain
from ergosphere.checkpoints.recipe import RankRef, Recipe
from ergosphere.checkpoints.resolve import resolved

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Place:
    """Where checkpoints of one domain are kept, and how."""

    blobs: Blobs
    domain: Domain
    codec: Codec

    def recipe(self, manifest: Manifest, rank: int) -> Recipe:
        """The recipe of a rank, verified, from packs alone; raises `Missing`, `Corrupt`, `Denied`."""

        def of(ref: RankRef) -> Recipe:
            if ref.rank >= len(manifest.ranks) or manifest.ranks[ref.rank].token != ref.token:
                raise Corrupt(f"{manifest.id}: a rank takes pages from another that is not there")
            return self._recipe(manifest.ranks[ref.rank])

        return resolved(self._recipe(manifest.ranks[rank]), rank, of)

    def seed(self) -> bytes:
        """The secret of the domain's fingerprints, made by whoever comes first."""
        try:
            return self.blobs.get(self.domain.seed)
        except Missing:
            self.blobs.create(self.domain.seed, os.urandom(32))
            return self.blobs.get(self.domain.seed)

    def trusted(self, key: str, read: Callable[[], _Read]) -> _Read:
        """What `read` makes of an object; if that is `Corrupt`, of another copy, where there is one."""
        try:
            return read()
        except Corrupt:
            if not self.blobs.distrust(key):
                raise
            return read()

    def _recipe(self, entry: RankEntry) -> Recipe:
        key = self.domain.pack(entry.recipe)

        def read() -> Recipe:
            return Recipe.decode(self.codec.open(self.blobs.get(key), entry.recipe_bytes, entry.digest))

        return self.trusted(key, read)
