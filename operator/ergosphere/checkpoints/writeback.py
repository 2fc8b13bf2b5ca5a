"""Asking the system to begin writing to the disk what was just written to a file, without waiting for it.

Left alone, it would wait until much is dirty, and then hold up whoever writes or flushes.
"""

import ctypes

_WRITE = 2  # SYNC_FILE_RANGE_WRITE
_libc = ctypes.CDLL(None)
_libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def begin_writeback(file: int, offset: int, length: int) -> None:
    """Begin with this part of an open file. It is a hint: where the file system cannot, nothing happens."""
    _libc.sync_file_range(file, offset, length, _WRITE)
