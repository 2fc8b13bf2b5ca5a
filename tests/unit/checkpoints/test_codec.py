"""How blocks are kept: what hardly compresses is not tried at length, and everything opens again."""

import numpy as np
import pytest

from ergosphere.checkpoints import Corrupt
from ergosphere.checkpoints.codec import Codec, digest

_BLOCK = 256 << 10
_CHANCE = np.random.default_rng(0)


def floats() -> bytes:
    """Like a tensor: zstd makes a twelfth less of it."""
    return _CHANCE.standard_normal(_BLOCK // 4).astype(np.float32).tobytes()


def text() -> bytes:
    return b"".join(b"%d bottles\n" % number for number in range(_BLOCK))[:_BLOCK]


@pytest.mark.parametrize("key", [None, bytes(32)])
@pytest.mark.parametrize("blocks", [[text()], [floats(), text()], [text(), floats(), b""], [floats()] * 3])
def test_what_was_sealed_opens(key: bytes | None, blocks: list[bytes]) -> None:
    codec = Codec(key)
    sealed = codec.seal_all(blocks)
    opened = [codec.open(part, len(block), digest(part)) for part, block in zip(sealed, blocks, strict=True)]
    assert opened == blocks
    for part, block in zip(sealed, blocks, strict=True):
        target = memoryview(bytearray(b"x" * len(block)))
        codec.open_into(target, part, digest(part))
        assert target == block


@pytest.mark.parametrize("key", [None, bytes(32)])
@pytest.mark.parametrize("size", [0, _BLOCK - 1, _BLOCK + 1])
@pytest.mark.parametrize("block", [floats(), text()], ids=["floats", "text"])
def test_a_block_of_another_size_is_corrupt(key: bytes | None, size: int, block: bytes) -> None:
    codec = Codec(key)
    (sealed,) = codec.seal_all([block])
    with pytest.raises(Corrupt, match="as many as they must"):
        codec.open_into(memoryview(bytearray(size)), sealed, digest(sealed))


def test_blocks_after_one_that_compresses_well_are_compressed_well() -> None:
    first, second = Codec().seal_all([text(), floats()])
    assert len(first) < _BLOCK / 2
    assert len(second) < 0.95 * _BLOCK


def test_blocks_after_one_that_does_not_are_kept_as_they_are() -> None:
    _, second = Codec().seal_all([floats(), floats()])
    assert _BLOCK <= len(second) < _BLOCK + 64
