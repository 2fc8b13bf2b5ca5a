"""What a checkpoint says of its processes, from CRIU's own files; and files that are no such thing."""

import random
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints import Corrupt, Shares, Store, criu

PAGE = 4096
PAGEMAP, MM, FILES = 0x56084025, 0x57492820, 0x56303138
HEAP, STACK, PRIVATE_FILE = 1 << 5, 1 << 1, 1 << 6


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(**fields: int | bytes) -> bytes:
    """A protobuf message; `_4=7` is field 4 with value 7."""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            out += varint(number << 3) + varint(value)
    return out


def image(magic: int, *messages: bytes) -> bytes:
    return struct.pack("<2I", 0x54564319, magic) + b"".join(
        struct.pack("<I", len(one)) + one for one in messages
    )


def pages(*seeds: int) -> bytes:
    return b"".join(random.Random(seed).randbytes(PAGE) if seed else bytes(PAGE) for seed in seeds)


def process(root: Path, heap: list[int], library: list[int]) -> Path:
    """Images of process 7 with a heap at 0x10000 and a library at 0x7000000."""
    root.mkdir()
    maps = [message(_1=0x10000, _2=len(heap), _4=4), message(_1=0x7000000, _2=0, _4=4, _5=len(library))]
    (root / "pagemap-7.img").write_bytes(
        image(PAGEMAP, message(_1=3), maps[0], message(_1=1, _2=9, _3=1), maps[1])
    )
    vmas = [
        message(_1=0x7000000, _2=0x7800000, _4=5, _7=PRIVATE_FILE | 1),
        message(_1=0x10000, _2=0x90000, _4=0, _7=HEAP | 1),
        message(_1=0x7F000000, _2=0x7F001000, _4=0, _7=STACK | 1),
    ]
    (root / "mm-7.img").write_bytes(image(MM, b"".join(message(_14=vma) for vma in vmas)))
    (root / "files.img").write_bytes(
        image(FILES, message(_1=1, _2=5, _3=message(_1=5, _6=b"/lib/libtorch.so")))
    )
    (root / "pages-3.img").write_bytes(pages(*heap, *library))
    return root


async def saved(store: Store, name: str, *roots: Path) -> None:
    digests = [
        (await store.save(root, name, rank, world=len(roots))).digest for rank, root in enumerate(roots)
    ]
    await store.commit(name, digests, {})


async def test_each_mapping_tells_what_is_new_and_what_is_shared(tmp_path: Path) -> None:
    store = Store.open("memory://")
    await saved(store, "ns/job/one", process(tmp_path / "a", [1, 2, 0, 3], [8, 9]))
    ranks = [process(tmp_path / "b", [1, 4, 5, 0], [8, 9]), process(tmp_path / "c", [1, 4, 6, 6], [8, 9])]
    await saved(store, "ns/job/two", *ranks)

    (found,) = (await store.inspect("ns/job/two", 1)).processes

    assert found.pid == 7
    heap, library = found.mappings
    assert (heap.start, heap.end, heap.name) == (0x10000, 0x90000, "heap")
    assert heap.shares == Shares(
        size=4 * PAGE, unique=PAGE, repeated=PAGE, with_previous=PAGE, with_ranks=PAGE
    )
    assert library.name == "/lib/libtorch.so"
    assert library.shares == Shares(size=2 * PAGE, unique=0, repeated=0, with_previous=2 * PAGE, with_ranks=0)
    assert found.shares.size == 6 * PAGE


async def test_images_that_are_not_criu_s_are_inspected_as_a_whole(tmp_path: Path) -> None:
    store = Store.open("memory://")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "state").write_bytes(pages(1, 2, 2, 0))
    await saved(store, "ns/job/one", tmp_path / "images")
    found = await store.inspect("ns/job/one", 0)
    assert not found.processes
    assert found.shares == Shares(
        size=4 * PAGE, unique=2 * PAGE, repeated=PAGE, with_previous=0, with_ranks=0
    )


async def test_a_page_map_that_lies_is_noticed(tmp_path: Path) -> None:
    store = Store.open("memory://")
    root = process(tmp_path / "a", [1, 2], [8])
    (root / "pagemap-7.img").write_bytes(image(PAGEMAP, message(_1=3), message(_1=0, _2=2**31, _4=4)))
    await saved(store, "ns/job/one", root)
    with pytest.raises(Corrupt, match="does not describe"):
        await store.inspect("ns/job/one", 0)


@pytest.mark.parametrize("read", [criu.page_map, criu.mappings, criu.file_names])
@given(
    data=st.binary(max_size=200), magic=st.sampled_from([b"", *(image(one) for one in (PAGEMAP, MM, FILES))])
)
def test_any_bytes_are_read_or_refused(read: object, magic: bytes, data: bytes) -> None:
    assert callable(read)
    with suppress(Corrupt):
        read(magic + data)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 2**31)), max_size=20))
def test_a_page_map_comes_back(segments: list[tuple[int, int]]) -> None:
    entries = [message(_1=address, _2=count, _4=4) for address, count in segments]
    found = criu.page_map(image(PAGEMAP, message(_1=9), *entries))
    assert found.pages_id == 9
    assert [(one.address, one.pages) for one in found.segments] == segments


def socket(family: int, *words: int) -> bytes:
    """An entry of `files.img`: an internet socket bound to an address of 32-bit words."""
    bound = b"".join(message(_11=word) for word in words)
    return message(_1=2, _2=7, _4=message(_1=7, _2=8, _3=family) + bound + message(_12=1))


def test_the_addresses_that_sockets_are_bound_to_are_known() -> None:
    v4, mapped = int.from_bytes(bytes([10, 1, 0, 8]), "little"), 0xFFFF0000
    files = image(FILES, socket(2, v4), socket(10, 0, 0, mapped, v4 + 1), socket(10, 0xFD, 0, 0, 1 << 24))
    assert {str(a) for a in criu.socket_addresses(files)} == {"10.1.0.8", "11.1.0.8", "fd00::1"}
    with pytest.raises(Corrupt, match="no address"):
        criu.socket_addresses(image(FILES, socket(2)))
    with pytest.raises(Corrupt, match="no address"):
        criu.socket_addresses(image(FILES, socket(2, 1 << 40)))
