"""A pack: up to 32 MiB of pages in compressed blocks, with a footer that says what they are."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.codec import Codec, digest
from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.pages import PAGE, Prints
from ergosphere.checkpoints.recipe import PackRef

BLOCK_PAGES = 64
PACK_PAGES = 8192
_TRAILER = struct.Struct("<8sI")
_FORM_SHIFT = np.uint32(30)
_LENGTH = np.uint32((1 << 30) - 1)
_LONGEST = BLOCK_PAGES * PAGE + 2048  # sealed: neither compression nor encryption adds as much
_MAGIC = b"ERGOPAK1"
HASH = 32


@dataclass(frozen=True)
class Footer:
    """For each page its fingerprint; for each block what it takes, its `Form`, and its hash."""

    prints: Prints
    lengths: NDArray[np.uint32]
    forms: NDArray[np.uint32]
    hashes: Sequence[str]

    @property
    def starts(self) -> NDArray[np.int64]:
        """The offset of each block in the pack, and of the footer after the last."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def encode(self) -> bytes:
        """The footer as bytes."""
        return b"".join(
            [
                self.prints.astype("<u8").tobytes(),
                (self.lengths | self.forms << _FORM_SHIFT).astype("<u4").tobytes(),
                bytes.fromhex("".join(self.hashes)),
            ]
        )

    @classmethod
    def decode(cls, data: bytes, pages: int) -> "Footer":
        """The footer of a pack with so many pages; raises `Corrupt`."""
        blocks = -(-pages // BLOCK_PAGES)
        if len(data) != _footer_size(pages):
            raise Corrupt("pack footer has the wrong length")
        lengths = np.frombuffer(data, dtype="<u4", count=blocks, offset=16 * pages)
        hashes = data[16 * pages + 4 * blocks :]
        return cls(
            prints=np.frombuffer(data, dtype="<u8", count=2 * pages).reshape(-1, 2),
            lengths=lengths & _LENGTH,
            forms=lengths >> _FORM_SHIFT,
            hashes=[hashes[at : at + HASH].hex() for at in range(0, len(hashes), HASH)],
        )


def _footer_size(pages: int) -> int:
    return 16 * pages + (4 + HASH) * -(-pages // BLOCK_PAGES)


def footer_bytes(footer: Footer, codec: Codec) -> tuple[bytes, int, str]:
    """What ends a pack, the length of the sealed footer in it, and that footer's hash."""
    sealed = codec.seal(footer.encode())
    return sealed + _TRAILER.pack(_MAGIC, len(sealed)), len(sealed), digest(sealed)


def footer_span(pack: PackRef) -> tuple[int, int]:
    """Where the sealed footer of a pack begins, and its length; raises `Corrupt`."""
    start = pack.size - pack.footer - _TRAILER.size
    if start < 0:
        raise Corrupt(f"{pack.name}: shorter than its footer")
    return start, pack.footer


def decode_footer(pack: PackRef, sealed: Data, codec: Codec) -> Footer:
    """The footer of a pack, verified; raises `Corrupt`, `Denied`."""
    footer = Footer.decode(codec.open(sealed, _footer_size(pack.pages), pack.digest), pack.pages)
    if footer.lengths.max(initial=0) > _LONGEST:
        raise Corrupt(f"{pack.name}: a block takes more than it can")
    if footer.starts[-1] != footer_span(pack)[0]:
        raise Corrupt(f"{pack.name}: blocks do not add up to its size")
    return footer


def block_pages(pack: PackRef, block: int) -> int:
    """How many pages a block of `pack` holds."""
    return min(BLOCK_PAGES, pack.pages - block * BLOCK_PAGES)
