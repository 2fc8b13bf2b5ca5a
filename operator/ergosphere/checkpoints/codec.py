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

_LEVEL = 3  # zstd's own default; higher ones gain nothing on memory
_WORTH = 0.92  # of the size: compressing what takes more, as most floating-point numbers do, is not worth it
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


class Codec:
    """Seals and opens pieces of data. Safe to use from several threads."""

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) != 32:
            raise Invalid(f"an encryption key has 32 bytes, not {len(key)}")
        self._cipher = AESGCM(key) if key else None
        self._local = threading.local()

    def seal(self, data: Data) -> bytes:
        """`data` compressed with zstd, and encrypted with AES-256-GCM if this codec has a key."""
        return bytes(self._encrypt(self._compressor().compress(data)))

    def seal_all(self, blocks: Sequence[memoryview]) -> list[Sealed]:
        """Each block sealed by itself; what a sample tells would hardly get smaller is not compressed.

        What is neither compressed nor encrypted is not copied. One call for many, as each takes hold of
        the interpreter anew.
        """
        raw = [not self._shrinks(block) for block in blocks]
        shrinking: list[bytes | bytearray | memoryview] = [
            block for block, kept in zip(blocks, raw, strict=True) if not kept
        ]
        packed: Any = self._compressor().multi_compress_to_buffer(shrinking) if shrinking else []
        smaller = (memoryview(packed[number]) for number in range(len(packed)))
        return [
            Sealed(self._encrypt(block if kept else next(smaller)), kept)
            for block, kept in zip(blocks, raw, strict=True)
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
            return self._decompressor().decompress(packed, max_output_size=size)

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
        with self._unpacking(), self._decompressor().stream_reader(packed) as reader:
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

    def _shrinks(self, block: memoryview) -> bool:
        apart = max(_SAMPLE, len(block) // _SAMPLES)
        sample = b"".join(block[at : at + _SAMPLE] for at in range(0, len(block), apart))
        return len(self._compressor().compress(sample)) < _WORTH * len(sample)

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

    def _compressor(self) -> zstandard.ZstdCompressor:
        if not hasattr(self._local, "compressor"):
            self._local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        compressor: zstandard.ZstdCompressor = self._local.compressor
        return compressor

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        if not hasattr(self._local, "decompressor"):
            self._local.decompressor = zstandard.ZstdDecompressor()
        decompressor: zstandard.ZstdDecompressor = self._local.decompressor
        return decompressor
