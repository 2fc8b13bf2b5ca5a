"""CRIU's image files, as far as they say which page of memory lies where. Nothing in them is trusted.

A file is a magic word or two and then messages in protobuf's wire format, each after its length
(CRIU 4.2: `images/*.proto`, `criu/include/image.h`, `criu/include/magic.h`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from ergosphere.checkpoints.errors import Corrupt

_COMMON_MAGIC = 0x54564319
_PAGEMAP_MAGIC = 0x56084025
_MM_MAGIC = 0x57492820
_FILES_MAGIC = 0x56303138
_PRESENT, _PARENT = 4, 1
_KINDS = {1: "stack", 3: "vdso", 5: "heap", 10: "sysv", 12: "vvar", 14: "memfd"}
_FILE_BITS = 1 << 6 | 1 << 7
_WIRE_SIZES = {1: 8, 5: 4}

Value = int | bytes
IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Segment:
    """Pages that follow each other in memory and in the file of pages."""

    address: int
    pages: int


@dataclass(frozen=True)
class PageMap:
    """The pages in `pages-<pages_id>.img`, in order."""

    pages_id: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Mapping:
    """A mapping of a process: addresses, and what it is: a kind, or the id of a file."""

    start: int
    end: int
    kind: str
    file_id: int | None


def page_map(image: bytes) -> PageMap:
    """The content of a `pagemap-*.img`; raises `Corrupt`."""
    head, *entries = _messages(image, _PAGEMAP_MAGIC)
    segments = []
    for entry in entries:
        flags = _number(entry, 4, _PARENT if _number(entry, 3) else _PRESENT)
        if flags & _PRESENT:
            segments.append(Segment(_number(entry, 1), _number(entry, 5) or _number(entry, 2)))
    return PageMap(_number(head, 1), tuple(segments))


def mappings(image: bytes) -> list[Mapping]:
    """The mappings in an `mm-*.img`, by address; raises `Corrupt`."""
    (mm, *_) = _messages(image, _MM_MAGIC)
    found = [_mapping(_fields(vma)) for number, vma in mm if number == 14 and isinstance(vma, bytes)]
    return sorted(found, key=lambda mapping: mapping.start)


def file_names(image: bytes) -> dict[int, str]:
    """The paths of the regular files in `files.img`, by id; raises `Corrupt`."""
    names = {}
    for entry in _messages(image, _FILES_MAGIC, empty=True):
        for number, value in entry:
            if number == 3 and isinstance(value, bytes):
                reg = _fields(value)
                name = next((text for at, text in reg if at == 6 and isinstance(text, bytes)), b"")
                names[_number(reg, 1)] = name.decode(errors="replace")
    return names


def socket_addresses(image: bytes) -> frozenset[IPAddress]:
    """What the internet sockets in `files.img` are bound to, IPv4 ones as such; raises `Corrupt`."""
    found = set()
    for entry in _messages(image, _FILES_MAGIC, empty=True):
        for number, value in entry:
            if number == 4 and isinstance(value, bytes):
                words = [word for at, word in _fields(value) if at == 11 and isinstance(word, int)]
                found.add(_address(words))
    return frozenset(found)


def _address(words: list[int]) -> IPAddress:
    """An address as the kernel has it in memory, in words of 32 bits."""
    try:
        address = ip_address(b"".join(struct.pack("<I", word) for word in words))
    except (ValueError, struct.error) as error:
        raise Corrupt("a CRIU image with a socket that has no address") from error
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _mapping(vma: list[tuple[int, Value]]) -> Mapping:
    status = _number(vma, 7)
    kind = next((name for bit, name in _KINDS.items() if status & 1 << bit), "anonymous")
    file_id = _number(vma, 4) if status & _FILE_BITS else None
    return Mapping(_number(vma, 1), _number(vma, 2), kind, file_id)


def _messages(image: bytes, magic: int, *, empty: bool = False) -> list[list[tuple[int, Value]]]:
    try:
        first, second = struct.unpack_from("<2I", image)
        at = 8 if first == _COMMON_MAGIC else 4
        if magic not in (first, second if at == 8 else first):
            raise Corrupt("not an image of the kind that its name says")
        found = []
        while at < len(image):
            (length,) = struct.unpack_from("<I", image, at)
            at += 4
            if at + length > len(image):
                raise Corrupt("a CRIU image ends in the middle of a message")
            found.append(_fields(image[at : at + length]))
            at += length
    except struct.error as error:
        raise Corrupt("a CRIU image ends in the middle of a message") from error
    if not found and not empty:
        raise Corrupt("a CRIU image without any message")
    return found


def _fields(message: bytes) -> list[tuple[int, Value]]:
    return list(_scan(message))


def _scan(message: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in _WIRE_SIZES:
            size = _WIRE_SIZES[wire]
        else:
            raise Corrupt("a CRIU image with a field of unknown type")
        if at + size > len(message):
            raise Corrupt("a CRIU image with a field longer than its message")
        yield number, message[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value & (1 << 64) - 1, at
    raise Corrupt("a CRIU image with a broken number")


def _number(fields: list[tuple[int, Value]], wanted: int, default: int = 0) -> int:
    return next((value for number, value in fields if number == wanted and isinstance(value, int)), default)
