"""How bytes are kept: compressed, encrypted if there is a key, and named by their hash."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.compression import Compression, Effort, Form
from ergosphere.checkpoints.errors import Corrupt, Denied, Invalid

_NONCE = 12


def digest(data: Data) -> str:
    """The BLAKE3 hash of `data`, in hexadecimal."""
    return blake3(data).hexdigest()


class Sealed(NamedTuple):
    """A block as it is kept, and in which form."""

    data: Data
    form: Form


class Codec:
    """Seals and opens pieces of data. Safe to use from several threads."""

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and len(key) != 32:
            raise Invalid(f"an encryption key has 32 bytes, not {len(key)}")
        self._cipher = AESGCM(key) if key else None
        self._compression = Compression()

    def seal(self, data: Data) -> bytes:
        """`data` compressed with zstd, and encrypted with AES-256-GCM if this codec has a key."""
        return bytes(self._encrypt(self._compression.compress(data)))

    def seal_all(self, blocks: Sequence[memoryview], effort: Effort) -> list[Sealed]:
        """Each block sealed by itself; what is neither made smaller nor encrypted is not copied."""
        smaller = self._compression.compress_all(blocks, effort)
        return [Sealed(self._encrypt(data), form) for data, form in smaller]

    def open(self, sealed: Data, size: int, expected: str) -> bytes:
        """The at most `size` bytes behind `sealed`, which must have the hash `expected`.

        Raises `Corrupt`, before anything is decoded, when the hash differs; `Denied` when the key does
        not fit.
        """
        packed = self._verified(sealed, expected)
        with self._unpacking():
            return self._compression.decompress(packed, size)

    def open_into(self, target: memoryview, sealed: Sealed, expected: str) -> None:
        """Fill `target` with the bytes behind `sealed`; as `open`, and `Corrupt` for more or fewer bytes."""
        packed = self._verified(sealed.data, expected)
        with self._unpacking():
            self._compression.decompress_into(target, packed, sealed.form)

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
