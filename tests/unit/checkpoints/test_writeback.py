"""Parts are written whole, however little of them the system takes at a time."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ergosphere.checkpoints.writeback import cut, write_all

PARTS = [memoryview(part) for part in (b"", b"abc", b"defg", b"", b"h")]


@pytest.mark.parametrize("taken", [1, 2, 3, 7, 8, 100])
def test_all_parts_are_written_where_they_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    write = os.pwritev

    def take(file: int, parts: Sequence[memoryview], offset: int) -> int:
        return write(file, cut(parts, 0, taken), offset)

    monkeypatch.setattr(os, "pwritev", take)
    with (tmp_path / "file").open("xb", buffering=0) as file:
        assert write_all(file.fileno(), PARTS, 2) == 8
        assert write_all(file.fileno(), PARTS[:1], 10) == 0
    assert (tmp_path / "file").read_bytes() == b"\0\0abcdefgh"


@pytest.mark.parametrize("begin", range(9))
@pytest.mark.parametrize("end", range(10))
def test_what_is_cut_out_of_parts_is_what_lies_between(begin: int, end: int) -> None:
    assert b"".join(cut(PARTS, begin, end)) == b"abcdefgh"[begin:end]
