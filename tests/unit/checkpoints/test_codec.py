"""How blocks are kept: what hardly compresses is kept as it is, and everything opens again."""

import numpy as np
import pytest

from ergosphere.checkpoints import Corrupt, Denied
from ergosphere.checkpoints.codec import Codec, Sealed, digest

_BLOCK = 256 << 10
_CHANCE = np.random.default_rng(0)


def floats() -> bytes:
    """Like a tensor: zstd makes a twelfth less of it."""
    return _CHANCE.standard_normal(_BLOCK // 4).astype(np.float32).tobytes()


def text() -> bytes:
    return b"".join(b"%d bottles\n" % number for number in range(_BLOCK))[:_BLOCK]


def counts() -> bytes:
    """Of each number two bytes in four are chance."""
    return _CHANCE.integers(0, 1 << 16, _BLOCK // 4, dtype=np.uint32).tobytes()


def sealed(codec: Codec, *blocks: bytes) -> list[Sealed]:
    return codec.seal_all([memoryview(block) for block in blocks])


MIXED = [counts(), text(), floats(), text(), counts()]


@pytest.mark.parametrize("key", [None, bytes(32)])
@pytest.mark.parametrize(
    "blocks", [[text()], [floats(), text()], [text(), floats(), b""], [floats()] * 3, MIXED]
)
def test_what_was_sealed_opens(key: bytes | None, blocks: list[bytes]) -> None:
    codec = Codec(key)
    for kept, block in zip(sealed(codec, *blocks), blocks, strict=True):
        target = memoryview(bytearray(b"x" * len(block)))
        codec.open_into(target, kept, digest(kept.data))
        assert target == block
        whole = codec.seal(block)
        assert codec.open(whole, len(block), digest(whole)) == block


@pytest.mark.parametrize("key", [None, bytes(32)])
@pytest.mark.parametrize("size", [0, _BLOCK - 1, _BLOCK + 1])
@pytest.mark.parametrize("block", [floats(), text()], ids=["floats", "text"])
def test_a_block_of_another_size_is_corrupt(key: bytes | None, size: int, block: bytes) -> None:
    codec = Codec(key)
    (kept,) = sealed(codec, block)
    with pytest.raises(Corrupt, match="as many as they must"):
        codec.open_into(memoryview(bytearray(size)), kept, digest(kept.data))


@pytest.mark.parametrize("raw", [True, False])
def test_a_block_taken_for_the_other_kind_is_not_given_out(raw: bool) -> None:
    codec = Codec()
    (kept,) = sealed(codec, text() if raw else floats())
    with pytest.raises((Corrupt, Denied)):
        codec.open_into(memoryview(bytearray(_BLOCK)), Sealed(kept.data, raw), digest(kept.data))


def test_each_block_is_compressed_if_that_is_worth_it_whatever_the_others_are() -> None:
    kept = sealed(Codec(), floats(), text(), floats())
    assert [block.raw for block in kept] == [True, False, True]
    assert len(kept[1].data) < _BLOCK / 2
    (between,) = sealed(Codec(), counts())
    assert not between.raw
    assert len(between.data) < 0.7 * _BLOCK


def test_what_is_kept_as_it_is_is_not_copied() -> None:
    block = bytearray(floats())
    (kept,) = Codec().seal_all([memoryview(block)])
    block[0] ^= 1
    assert bytes(kept.data) == block
