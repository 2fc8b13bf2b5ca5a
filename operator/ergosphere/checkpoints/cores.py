"""How many threads to work with."""

import os

_MOST = 8  # these keep up with any one disk or network, and each takes its part of the memory


def width() -> int:
    """As many as this process may use processors, and not too many."""
    return min(len(os.sched_getaffinity(0)), _MOST)
