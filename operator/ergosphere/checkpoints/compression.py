"""How blocks of memory get smaller: zstd for the whole block, or for the exponents of its numbers alone."""

import threading
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any

import zstandard

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.floats import exponents, laid_apart, put_together, rest_size

_SAMPLES, _SAMPLE = 16, 512  # how many pieces of a block are tried, and the size of each
_REPETITIVE = 0.5  # what zstd makes smaller than this part of its size is not tried as numbers
# What would stay larger than this part of its size is kept as it is. Of tensors of four-byte floats that is
# every second block: with a local disk, the time that the others take would be missed more than their space.
_WORTH = 0.84
_LOWEST = 1  # of zstd's levels: its default finds a twentieth more in what repeats itself, and takes longer
# Finds hardly any repetition, which among exponents is chance and costs time, and leaves the entropy coding.
_ENTROPY_ALONE = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, chain_log=6, search_log=1, window_log=18
)


class Form(IntEnum):
    """How a block is kept, in two bits."""

    ZSTD = 0
    FLOAT32 = 1
    """Numbers of four bytes: all but the highest byte of each as it is, then these in zstd."""
    RAW = 2
    """As it is."""
    FLOAT16 = 3
    """Numbers of two bytes, likewise."""


_WIDTHS = {Form.FLOAT32: 4, Form.FLOAT16: 2}


class Compression(threading.local):
    """zstd's contexts, of which each thread has its own."""

    def __init__(self) -> None:
        by_exponents = zstandard.ZstdCompressor(compression_params=_ENTROPY_ALONE)
        self._compressors = {
            Form.ZSTD: zstandard.ZstdCompressor(level=_LOWEST),
            Form.FLOAT32: by_exponents,
            Form.FLOAT16: by_exponents,
        }
        self._compressor = zstandard.ZstdCompressor()
        self._decompressor = zstandard.ZstdDecompressor()

    def compress(self, data: Data) -> bytes:
        """`data` in zstd."""
        return self._compressor.compress(data)

    def compress_all(self, blocks: Sequence[memoryview]) -> list[tuple[Data, Form]]:
        """Each block by itself, in the form that a sample of it says is smallest; not copied if that is raw.

        One call for many, as each takes hold of the interpreter anew.
        """
        forms = self._forms(blocks)
        smaller = {
            form: self._smaller(
                [block for block, own in zip(blocks, forms, strict=True) if own is form], form
            )
            for form in self._compressors
        }
        return [
            (next(smaller[form]) if form in smaller else block, form)
            for block, form in zip(blocks, forms, strict=True)
        ]

    def decompress(self, packed: Data, size: int) -> bytes:
        """The at most `size` bytes in zstd; raises `Corrupt` if there are more, and `zstandard.ZstdError`."""
        if zstandard.frame_content_size(packed) > size:
            raise Corrupt("stored bytes unpack to more than they may")
        return self._decompressor.decompress(packed, max_output_size=size)

    def decompress_into(self, target: memoryview, packed: Data, form: Form) -> None:
        """Fill `target` with a block; raises `Corrupt` for more or fewer bytes, and `zstandard.ZstdError`.

        Memory that was used before is best: the system gives new memory page by page, and takes its time.
        """
        if form is Form.ZSTD:
            self._fill(target, packed)
        elif form is Form.RAW:
            if len(packed) != len(target):
                raise _other_size()
            target[:] = packed
        else:
            width = _WIDTHS[form]
            rest = rest_size(len(target), width)
            highest = memoryview(bytearray(len(target) - rest))
            if len(target) % width or len(packed) < rest:
                raise _other_size()
            kept = memoryview(packed)
            self._fill(highest, kept[rest:])
            put_together(target, width, kept[:rest], highest)

    def _fill(self, target: memoryview, packed: Data) -> None:
        with self._decompressor.stream_reader(packed) as reader:
            if zstandard.frame_content_size(packed) != len(target) or reader.readinto(target) != len(target):
                raise _other_size()

    def _smaller(self, blocks: Sequence[memoryview], form: Form) -> Iterator[memoryview]:
        width = _WIDTHS.get(form)
        if not width:
            return self._packed(blocks, form)
        highest = self._packed([exponents(block, width) for block in blocks], form)
        return (laid_apart(block, width, own) for block, own in zip(blocks, highest, strict=True))

    def _packed(self, pieces: Sequence[memoryview], form: Form) -> Iterator[memoryview]:
        found: Any = self._compressors[form].multi_compress_to_buffer([*pieces]) if pieces else ()
        return (memoryview(found[number]) for number in range(len(found)))

    def _forms(self, blocks: Sequence[memoryview]) -> list[Form]:
        """The form of each block that makes a sample of it smallest."""
        samples = [_sample(block) for block in blocks]
        sizes = [
            {Form.RAW: _WORTH * len(sample), Form.ZSTD: float(len(packed))}
            for sample, packed in zip(samples, self._packed(samples, Form.ZSTD), strict=True)
        ]
        tried = [
            nth
            for nth, sample in enumerate(samples)
            if sizes[nth][Form.ZSTD] > _REPETITIVE * len(sample) and len(blocks[nth]) % 4 == 0
        ]
        for form, width in _WIDTHS.items():
            highest = self._packed([exponents(samples[nth], width) for nth in tried], form)
            for nth, own in zip(tried, highest, strict=True):
                sizes[nth][form] = rest_size(len(samples[nth]), width) + len(own)
        return [min(size, key=lambda form: size[form]) for size in sizes]


def _sample(block: memoryview) -> memoryview:
    apart = max(_SAMPLE, len(block) // _SAMPLES)
    return memoryview(b"".join(block[at : at + _SAMPLE] for at in range(0, len(block), apart)))


def _other_size() -> Corrupt:
    return Corrupt("stored bytes do not unpack to as many as they must")
