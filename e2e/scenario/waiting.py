"""Waiting for a condition of the cluster, with a deadline and a last word on what was seen."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StillWaitingError(AssertionError):
    """A condition did not come true in time; the message says what was seen last."""


def until(what: str, probe: Callable[[], T | None], *, timeout: float = 90.0, interval: float = 0.4) -> T:
    """Call `probe` until it returns something true, and return that.

    A probe that raises `AssertionError` is asked again; the last such message ends up in the
    error. `timeout` and `interval` are seconds.

    Raises:
        StillWaitingError: when `timeout` seconds have passed.
    """
    deadline = time.monotonic() + timeout
    while True:
        last: object = None
        try:
            last = probe()
        except AssertionError as error:
            last = error
        else:
            if last:
                return last
        if time.monotonic() > deadline:
            raise StillWaitingError(f"waited {timeout:.0f} s for {what}; last seen: {last!r}")
        time.sleep(interval)
