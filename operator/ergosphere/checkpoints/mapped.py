"""Files as pages in memory, without copying them: that costs as much as fingerprinting."""

import mmap
import os

import numpy as np

from ergosphere.checkpoints.pages import PAGE, Pages, pages_in


def mapped(file: int, offset: int, size: int) -> Pages | None:
    """The pages of a part of an open file, its last page filled up with zeros; None if the file ends before.

    `offset` is a multiple of the page's size. They cannot be written to; their last use unmaps them, and
    until then the file must not become shorter.
    """
    if os.fstat(file).st_size < offset + size:
        return None
    whole = size // PAGE * PAGE
    if whole == size:
        memory = mmap.mmap(file, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ, offset=offset)
        return np.frombuffer(memory, dtype=np.uint8).reshape(-1, PAGE)
    pages = np.zeros((pages_in(size), PAGE), dtype=np.uint8)
    return pages if os.preadv(file, [pages.data.cast("B")[:size]], offset) == size else None
