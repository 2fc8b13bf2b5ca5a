"""How blocks are kept: what hardly compresses is kept as it is, and everything opens again."""

import numpy as np
import pytest

from ergosphere.checkpoints import Corrupt, Denied
from ergosphere.checkpoints.codec import Codec, Sealed, digest
from ergosphere.checkpoints.compression import FULL, QUICK, Form

_BLOCK = 256 << 10
_CHANCE = np.random.default_rng(0)


def floats() -> bytes:
    """Like a tensor: zstd makes a twelfth less of it, and a sixth of the exponents alone."""
    return _CHANCE.standard_normal(_BLOCK // 4).astype(np.float32).tobytes()


def short_floats() -> bytes:
    """Like a tensor of bfloat16, which is the upper half of a float."""
    return np.frombuffer(floats() + floats(), dtype=np.uint16)[1::2].tobytes()


def noise() -> bytes:
    return _CHANCE.bytes(_BLOCK)


def text() -> bytes:
    return b"".join(b"%d bottles\n" % number for number in range(_BLOCK))[:_BLOCK]


def counts() -> bytes:
    """Of each number two bytes in four are chance."""
    return _CHANCE.integers(0, 1 << 16, _BLOCK // 4, dtype=np.uint32).tobytes()


def sealed(codec: Codec, *blocks: bytes) -> list[Sealed]:
    return codec.seal_all([memoryview(block) for block in blocks], FULL)


MIXED = [counts(), text(), floats(), noise(), text(), short_floats(), counts(), floats()]


@pytest.mark.parametrize("key", [None, bytes(32)])
@pytest.mark.parametrize(
    "blocks", [[text()], [noise(), text()], [text(), floats(), b""], [floats()[:-1]], [floats()] * 3, MIXED]
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
@pytest.mark.parametrize("block", [noise(), text()], ids=["noise", "text"])
def test_a_block_of_another_size_is_corrupt(key: bytes | None, size: int, block: bytes) -> None:
    codec = Codec(key)
    (kept,) = sealed(codec, block)
    with pytest.raises(Corrupt, match="as many as they must"):
        codec.open_into(memoryview(bytearray(size)), kept, digest(kept.data))


@pytest.mark.parametrize("size", [0, _BLOCK - 4, _BLOCK - 1, _BLOCK + 1, _BLOCK + 4, 2 * _BLOCK])
@pytest.mark.parametrize("block", [floats(), short_floats()], ids=["floats", "short floats"])
def test_numbers_that_are_more_or_fewer_are_not_given_out(size: int, block: bytes) -> None:
    codec = Codec()
    (kept,) = sealed(codec, block)
    with pytest.raises((Corrupt, Denied)):
        codec.open_into(memoryview(bytearray(size)), kept, digest(kept.data))


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("block", [text(), floats(), noise(), short_floats()])
def test_a_block_taken_for_another_form_is_not_given_out(block: bytes, form: Form) -> None:
    codec = Codec()
    (kept,) = sealed(codec, block)
    target = memoryview(bytearray(_BLOCK))
    if form is kept.form:
        codec.open_into(target, kept, digest(kept.data))
        assert target == block
        return
    with pytest.raises((Corrupt, Denied)):
        codec.open_into(target, Sealed(kept.data, form), digest(kept.data))


def test_each_block_is_kept_as_suits_it_whatever_the_others_are() -> None:
    kept = sealed(Codec(), floats(), text(), noise(), short_floats(), counts())
    assert [block.form for block in kept] == [Form.FLOAT32, Form.ZSTD, Form.RAW, Form.FLOAT16, Form.ZSTD]
    parts = [len(block.data) / _BLOCK for block in kept]
    assert parts[0] < 0.86
    assert parts[1] < 0.5
    assert parts[2] == 1
    assert parts[3] < 0.72
    assert parts[4] < 0.7


def test_in_a_hurry_only_what_gets_much_smaller_is_compressed() -> None:
    blocks = [memoryview(block) for block in (floats(), text(), noise(), short_floats())]
    kept = Codec().seal_all(blocks, QUICK)
    assert [block.form for block in kept] == [Form.RAW, Form.ZSTD, Form.RAW, Form.FLOAT16]


def test_what_is_kept_as_it_is_is_not_copied() -> None:
    block = bytearray(noise())
    (kept,) = Codec().seal_all([memoryview(block)], FULL)
    block[0] ^= 1
    assert bytes(kept.data) == block
