"""How bytes are kept: compressed, encrypted if there is a key, and named by their hash."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.errors import Corrupt, Denied, Invalid

_SLOW, _FAST = 3, 1  # levels of zstd: its own default, above which memory gains nothing, and its lowest
# A block is compressed so if a sample of it shrinks to less than this part of its size. Above a half little
# repeats itself, and the lower level will do; above the last, as in most floats, neither pays.
_LEVELS = ((0.5, _SLOW), (0.92, _FAST))
_SAMPLES, _SAMPLE = 16, 512  # how many pieces of a block are tried, and the size of each
_NONCE = 12
_TAG = 16


def digest(data: Data) -> str:
    """The BLAKE3 hash of `data`, in hexadecimal."""
    return blake3(data).hexdigest()


class Sealed(NamedTuple):
    """A block as it is kept, and whether it is there as it is, not compressed."""

    data: Data
    raw: bool


class _Contexts(threading.local):
    """zstd's contexts, of which each thread has its own."""

    def __init__(self) -> None:
        self.compressors = {level: zstandard.ZstdCompressor(level=level) for level in (_SLOW, _FAST)}
        self.decompressor = zstandard.ZstdDecompressor()


class Codec:
    """Seals and opens pieces of data. Safe to use from several threads."""

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) != 32:
            raise Invalid(f"an encryption key has 32 bytes, not {len(key)}")
        self._cipher = AESGCM(key) if key else None
        self._own = _Contexts()

    def seal(self, data: Data) -> bytes:
        """`data` compressed with zstd, and encrypted with AES-256-GCM if this codec has a key."""
        return bytes(self._encrypt(self._own.compressors[_SLOW].compress(data)))

    def seal_all(self, blocks: Sequence[memoryview]) -> list[Sealed]:
        """Each block sealed by itself; what a sample tells would hardly get smaller is not compressed.

        What is neither compressed nor encrypted is not copied. One call for many, as each takes hold of
        the interpreter anew.
        """
        levels = [self._level(block) for block in blocks]
        smaller = {
            level: self._compressed(
                [block for block, own in zip(blocks, levels, strict=True) if own == level], level
            )
            for _, level in _LEVELS
        }
        return [
            Sealed(self._encrypt(next(smaller[level]) if level else block), not level)
            for block, level in zip(blocks, levels, strict=True)
        ]

    def open(self, sealed: Data, size: int, expected: str) -> bytes:
        """The at most `size` bytes behind `sealed`, which must have the hash `expected`.

        Raises `Corrupt`, before anything is decoded, when the hash differs; `Denied` when the key does
        not fit.
        """
        packed = self._verified(sealed, expected)
        with self._unpacking():
            if zstandard.frame_content_size(packed) > size:
                raise Corrupt("stored bytes unpack to more than they may")
            return self._own.decompressor.decompress(packed, max_output_size=size)

    def open_into(self, target: memoryview, sealed: Sealed, expected: str) -> None:
        """Fill `target` with the bytes behind `sealed`; as `open`, and `Corrupt` for more or fewer bytes.

        Memory that was used before is best: the system gives new memory page by page, and takes its time.
        """
        packed = self._verified(sealed.data, expected)
        if sealed.raw:
            if len(packed) != len(target):
                raise Corrupt("stored bytes are not as many as they must be")
            target[:] = packed
            return
        with self._unpacking(), self._own.decompressor.stream_reader(packed) as reader:
            if zstandard.frame_content_size(packed) != len(target) or reader.readinto(target) != len(target):
                raise Corrupt("stored bytes do not unpack to as many as they must")

    def _verified(self, sealed: Data, expected: str) -> Data:
        if digest(sealed) != expected:
            raise Corrupt("stored bytes do not have the hash they were written with")
        return self._decrypt(sealed)

    @contextmanager
    def _unpacking(self) -> Iterator[None]:
        try:
            yield
        except zstandard.ZstdError as error:
            if self._cipher is None:
                raise Denied("stored bytes are not readable without an encryption key") from error
            raise Corrupt("stored bytes do not decompress") from error

    def _compressed(self, blocks: list[bytes | bytearray | memoryview], level: int) -> Iterator[memoryview]:
        packed: Any = self._own.compressors[level].multi_compress_to_buffer(blocks) if blocks else []
        return (memoryview(packed[number]) for number in range(len(packed)))

    def _level(self, block: memoryview) -> int | None:
        """The level to compress a block at; None for one that is kept as it is."""
        apart = max(_SAMPLE, len(block) // _SAMPLES)
        sample = b"".join(block[at : at + _SAMPLE] for at in range(0, len(block), apart))
        shrunk = len(self._own.compressors[_FAST].compress(sample))
        return next((level for below, level in _LEVELS if shrunk < below * len(sample)), None)

    def _encrypt(self, packed: Data) -> Data:
        if self._cipher is None:
            return packed
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, packed, None)

    def _decrypt(self, sealed: Data) -> Data:
        if self._cipher is None:
            return sealed
        view = memoryview(sealed)
        try:
            return self._cipher.decrypt(bytes(view[:_NONCE]), view[_NONCE:], None)
        except (InvalidTag, ValueError):
            raise Denied("the encryption key is not the one these bytes were written with") from None
