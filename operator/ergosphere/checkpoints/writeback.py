"""How files are written that are to be on the disk soon: in pieces of a good size, each begun with at once.

Left alone, the system would wait until much is dirty, and then hold up whoever writes or flushes.
"""

import ctypes

# The page cache takes memory in pieces as large as a call writes. Unbroken pieces of 2 MiB have to be made
# first or, in a virtual machine, asked for from the host: that took three times as long as the copying.
WRITTEN_AT_ONCE = 1 << 20  # bytes

_WRITE = 2  # SYNC_FILE_RANGE_WRITE
_libc = ctypes.CDLL(None)
_libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def begin_writeback(file: int, offset: int, length: int) -> None:
    """Begin with this part of an open file. It is a hint: where the file system cannot, nothing happens."""
    _libc.sync_file_range(file, offset, length, _WRITE)
