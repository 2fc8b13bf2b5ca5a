"""Durations for reports."""

import time


class Stopwatch:
    """Counts milliseconds of the monotonic clock from when it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def ms(self) -> float:
        """Elapsed time in milliseconds, to a microsecond."""
        return round((time.monotonic() - self._start) * 1000, 3)
