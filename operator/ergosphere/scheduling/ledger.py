"""The ledger of a job: how many workers it asked for and how many it had, over time.

The GPU fraction is that of Singularity (arXiv 2202.07848): GPU time received over GPU time asked for,
here within a sliding window. Counting workers instead of GPUs gives the same fraction, and works for jobs
without GPUs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ledger:
    """Changes as (since, workers received, workers asked for), oldest first; each holds until the next.

    `total` is the worker-seconds received before the last change, the forgotten ones included.
    """

    changes: tuple[tuple[float, int, int], ...] = ()
    total: float = 0.0

    def record(self, now: float, received: int, asked: int, window_s: float = 3600.0) -> "Ledger":
        """The ledger after a change at `now`; whatever ended before the window began is forgotten."""
        if not self.changes:
            return Ledger(((now, received, asked),))
        since, had, wanted = self.changes[-1]
        if (had, wanted) == (received, asked):
            return self
        kept = self.changes if since < now else self.changes[:-1]
        begin = now - window_s
        while len(kept) > 1 and kept[1][0] <= begin:
            kept = kept[1:]
        return Ledger((*kept, (now, received, asked)), self.total + had * (now - since))

    def attained(self, now: float) -> float:
        """Worker-seconds received since the job was created."""
        if not self.changes:
            return 0.0
        since, had, _ = self.changes[-1]
        return self.total + had * max(0.0, now - since)

    def received(self, now: float, window_s: float = 3600.0) -> tuple[float, float]:
        """Worker-seconds received and asked for within the window; more than was asked for does not count."""
        got = wanted = 0.0
        begin = now - window_s
        end = now
        for since, had, asked in reversed(self.changes):
            span = end - max(since, begin)
            if span > 0:
                got += min(had, asked) * span
                wanted += asked * span
                end = since
            if since <= begin:
                break
        return got, wanted

    def fraction(self, now: float, window_s: float = 3600.0) -> float:
        """Share of the time asked for that was received within the window; 1 when nothing was asked for."""
        got, wanted = self.received(now, window_s)
        return got / wanted if wanted else 1.0
