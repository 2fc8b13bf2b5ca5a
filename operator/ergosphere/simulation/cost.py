"""What moving costs in a simulation."""

from dataclasses import dataclass

from ergosphere.scheduling.model import Moving
from ergosphere.simulation.quantity import assignments, duration_s, number

GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class Cost:
    """A job is cut, its image goes to the store and comes back: half of `overhead_s` and the bytes each way.

    `gib_per_gpu` is the image's size for each GPU, `gib_per_s` what one worker moves in a second. Between
    cuts a checkpoint is taken every `interval_s` while the job runs; a failure loses what came after it.
    """

    overhead_s: float = 10.0
    gib_per_gpu: float = 8.0
    gib_per_s: float = 2.5
    interval_s: float = 1800.0

    def moving(self, workers: int, gpus_per_worker: int) -> Moving:
        """The cost of moving one job."""
        total = int(self.gib_per_gpu * GIB * workers * gpus_per_worker)
        return Moving(total, self.gib_per_s * GIB * workers, self.overhead_s)


FREE = Cost(overhead_s=0.0, gib_per_gpu=0.0)


def parse_cost(text: str) -> Cost:
    """`none`, `default`, or parts such as `overhead=10s,gib-per-gpu=8,gib-per-s=2.5,interval=30m`."""
    if text == "none":
        return FREE
    if text == "default":
        return Cost()
    parts = assignments(text, ("overhead", "gib-per-gpu", "gib-per-s", "interval"))
    interval_s = duration_s(parts.get("interval", "30m"))
    if interval_s <= 0:
        raise ValueError("interval must be longer than nothing")
    return Cost(
        duration_s(parts.get("overhead", "10s")),
        number(parts.get("gib-per-gpu", "8"), 0, 1e4),
        number(parts.get("gib-per-s", "2.5"), 1e-3, 1e6),
        interval_s,
    )
