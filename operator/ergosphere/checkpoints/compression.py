"""How blocks of memory get smaller: zstd for the whole block, or for the exponents of its numbers alone."""

import threading
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import zstandard

from ergosphere.checkpoints.blobs import Data
from ergosphere.checkpoints.errors import Corrupt
from ergosphere.checkpoints.floats import exponents, laid_apart, put_together, rest_size

_SAMPLES, _SAMPLE = 16, 256  # how many pieces of a block are tried, and the size of each
_REPETITIVE = 0.5  # what zstd makes smaller than this part of its size is not tried as numbers
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


class Effort(NamedTuple):
    """How much is done to make blocks smaller.

    What would stay larger than the part `worth` of its size is kept as it is. `level` is one of zstd's.
    """

    worth: float
    level: int


# Numbers of two bytes are worth it to both, those of four, which become 0.84 of their size, to the first.
FULL, QUICK = Effort(0.85, 1), Effort(0.80, -1)

_WIDTHS = {Form.FLOAT32: 4, Form.FLOAT16: 2}


class Compression(threading.local):
    """zstd's contexts, of which each thread has its own."""

    def __init__(self) -> None:
        self._levels = {effort: zstandard.ZstdCompressor(level=effort.level) for effort in (FULL, QUICK)}
        self._by_entropy = zstandard.ZstdCompressor(compression_params=_ENTROPY_ALONE)
        self._compressor = zstandard.ZstdCompressor()
        self._decompressor = zstandard.ZstdDecompressor()

    def compress(self, data: Data) -> bytes:
        """`data` in zstd."""
        return self._compressor.compress(data)

    def compress_all(self, blocks: Sequence[memoryview], effort: Effort) -> list[tuple[Data, Form]]:
        """Each block by itself, in the form that a sample of it says is smallest; not copied if that is raw.

        One call for many, as each takes hold of the interpreter anew.
        """
        forms = self._forms(blocks, effort)
        smaller = {
            form: self._smaller(
                [block for block, own in zip(blocks, forms, strict=True) if own is form], form, effort
            )
            for form in Form
            if form is not Form.RAW
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

    def _smaller(self, blocks: Sequence[memoryview], form: Form, effort: Effort) -> Iterator[memoryview]:
        width = _WIDTHS.get(form)
        if not width:
            return _packed(self._levels[effort], blocks)
        highest = _packed(self._by_entropy, [exponents(block, width) for block in blocks])
        return (laid_apart(block, width, own) for block, own in zip(blocks, highest, strict=True))

    def _forms(self, blocks: Sequence[memoryview], effort: Effort) -> list[Form]:
        """The form of each block that makes a sample of it smallest."""
        samples = [_sample(block) for block in blocks]
        sizes = [
            {Form.RAW: effort.worth * len(sample), Form.ZSTD: float(len(packed))}
            for sample, packed in zip(samples, _packed(self._levels[effort], samples), strict=True)
        ]
        tried = [
            nth
            for nth, sample in enumerate(samples)
            if sizes[nth][Form.ZSTD] > _REPETITIVE * len(sample) and len(blocks[nth]) % 4 == 0
        ]
        for form, width in _WIDTHS.items():
            highest = _packed(self._by_entropy, [exponents(samples[nth], width) for nth in tried])
            for nth, own in zip(tried, highest, strict=True):
                sizes[nth][form] = rest_size(len(samples[nth]), width) + len(own)
        return [min(size, key=lambda form: size[form]) for size in sizes]


def _packed(compressor: zstandard.ZstdCompressor, pieces: Sequence[memoryview]) -> Iterator[memoryview]:
    found: Any = compressor.multi_compress_to_buffer([*pieces]) if pieces else ()
    return (memoryview(found[number]) for number in range(len(found)))


def _sample(block: memoryview) -> memoryview:
    apart = max(_SAMPLE, len(block) // _SAMPLES)
    return memoryview(b"".join(block[at : at + _SAMPLE] for at in range(0, len(block), apart)))


def _other_size() -> Corrupt:
    return Corrupt("stored bytes do not unpack to as many as they must")
