"""Telling a person what takes long: one line when it starts to, one when it is done."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

QUIET_SECONDS = 2.0
REPEAT_SECONDS = 30.0


def _tick(label: str, started: float, done: threading.Event) -> None:
    delay = QUIET_SECONDS
    while not done.wait(delay):
        print(f"  {label} ... {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        delay = REPEAT_SECONDS


@contextmanager
def step(label: str) -> Iterator[None]:
    """Announce a step once it has taken 2 s, repeat every 30 s, and say how long it took in all."""
    started, done = time.monotonic(), threading.Event()
    ticker = threading.Thread(target=_tick, args=(label, started, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    elapsed = time.monotonic() - started
    if elapsed >= QUIET_SECONDS:
        print(f"  {label}: {elapsed:.1f} s", file=sys.stderr, flush=True)
