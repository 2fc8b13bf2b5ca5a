"""How files are written that are to be on the disk soon: in pieces of a good size, each begun with at once.

Left alone, the system would wait until much is dirty, and then hold up whoever writes or flushes.
"""

import ctypes
import os
from collections.abc import Sequence

# The page cache takes memory in pieces as large as a call writes. Unbroken pieces of 2 MiB have to be made
# first or, in a virtual machine, asked for from the host: that took three times as long as the copying.
WRITTEN_AT_ONCE = 1 << 20  # bytes

_WRITE = 2  # SYNC_FILE_RANGE_WRITE
_libc = ctypes.CDLL(None)
_libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def write_all(file: int, parts: Sequence[memoryview], offset: int) -> int:
    """Write the parts, one after the other, to an open file from `offset` on; how many bytes they are."""
    size = sum(map(len, parts))
    written = os.pwritev(file, parts, offset)
    while written < size:
        written += os.pwritev(file, cut(parts, written, size), offset + written)
    return size


def cut(parts: Sequence[memoryview], begin: int, end: int) -> list[memoryview]:
    """What the parts hold from byte `begin` to byte `end` of all of them."""
    found, at = [], 0
    for part in parts:
        if at < end and at + len(part) > begin:
            found.append(part[max(0, begin - at) : end - at])
        at += len(part)
    return found


def begin_writeback(file: int, offset: int, length: int) -> None:
    """Begin with this part of an open file. It is a hint: where the file system cannot, nothing happens."""
    _libc.sync_file_range(file, offset, length, _WRITE)
