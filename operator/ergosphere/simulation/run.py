"""One job in a simulation: what the planner sees of it, and what only the simulator knows."""

from dataclasses import replace

from ergosphere.scheduling.model import Job, Placement

HOUR_S = 3600.0


class Run:
    """A job from its arrival to its end.

    `left_s` is the run time left at `since`, with the workers it asked for; it shrinks by `rate` a second
    while the program runs, which it does since `begun`. `held` names the nodes of the workers whose GPUs it
    has.
    """

    __slots__ = (
        "admitted_hours",
        "begun",
        "busy_gpu_s",
        "dead",
        "failed_gpu_s",
        "held",
        "hours",
        "job",
        "left_s",
        "migrations",
        "moving_gpu_s",
        "preemptions",
        "rate",
        "resizes",
        "saved",
        "since",
        "target",
        "timer",
    )

    def __init__(self, job: Job, service_s: float) -> None:
        self.job = job
        self.left_s = service_s
        self.since = self.begun = 0.0
        self.rate = 0.0
        self.held: Placement = ()
        self.target: Placement = ()
        self.timer = 0
        """Raised by every change of course; an event with an older number is overtaken."""
        self.dead = False
        """A node of it failed, and the planner has not reacted yet."""
        self.saved = False
        """It has an image to be restored from."""
        self.preemptions = self.migrations = self.resizes = 0
        self.busy_gpu_s = self.moving_gpu_s = self.failed_gpu_s = 0.0
        self.hours: dict[int, float] = {}
        """Seconds received in each hour since submission, in shares of what was asked for."""
        self.admitted_hours: dict[int, float] = {}

    @property
    def gpus(self) -> int:
        """GPUs that it physically has."""
        return len(self.held) * self.job.gpus_per_worker

    def become(self, now: float, **changes: object) -> Job:
        """Change what the planner sees."""
        job = replace(self.job, **changes)  # type: ignore[arg-type]
        running = len(job.placement) if self.rate else 0
        self.job = replace(job, ledger=job.ledger.record(now, running, job.workers))
        return self.job

    def admit(self, now: float) -> Job:
        """The promise holds from now on. What it takes to restore the job first counts as received."""
        if self.saved and not self.rate:
            _add(self.admitted_hours, 0.0, self.job.moving.pause_s / 2, 1.0)
        return self.become(now, admitted=now)

    def begin(self, now: float, rate: float) -> None:
        """The program runs from now on."""
        self.begun = self.since = now
        self.rate = rate
        self.timer += 1

    def halt(self, now: float) -> None:
        """The program stands still from now on, whatever else becomes of it."""
        span = now - self.since
        if self.rate and span > 0:
            self.left_s -= span * self.rate
            self.busy_gpu_s += span * self.gpus
            self._credit(now, min(1.0, len(self.held) / self.job.workers))
        self.since = now
        self.rate = 0.0
        self.timer += 1

    def crash(self, now: float, interval_s: float) -> None:
        """The program falls back to the last checkpoint, taken every `interval_s` while it ran."""
        rate = self.rate
        self.halt(now)
        if rate:
            since_saved = (now - self.begun) % interval_s
            self.left_s += since_saved * rate
            self.failed_gpu_s += since_saved * self.gpus
            self.saved = self.saved or now - self.begun >= interval_s
        self.dead = True

    def _credit(self, now: float, share: float) -> None:
        _add(self.hours, self.since - self.job.submitted, now - self.job.submitted, share)
        if self.job.admitted is not None:
            begin = max(self.since, self.job.admitted)
            _add(self.admitted_hours, begin - self.job.admitted, now - self.job.admitted, share)

    def kept(self, end: float, promise: float) -> tuple[float, float]:
        """Hours in which the promise was kept, and all hours, from submission to `end`."""
        return self._kept(self.hours, end - self.job.submitted, end, promise)

    def kept_admitted(self, end: float, promise: float) -> tuple[float, float]:
        """The same from admission on; nothing if it was never admitted."""
        if self.job.admitted is None:
            return 0.0, 0.0
        return self._kept(self.admitted_hours, end - self.job.admitted, end, promise)

    def _kept(
        self, hours: dict[int, float], total_s: float, end: float, promise: float
    ) -> tuple[float, float]:
        """What is left after the last full hour is judged by the whole hour before the end."""
        full = int(total_s // HOUR_S)
        kept_s = HOUR_S * sum(hours.get(hour, 0.0) >= promise * HOUR_S - 1e-6 for hour in range(full))
        rest_s = total_s - full * HOUR_S
        last = self.job.ledger.fraction(end) if full else hours.get(0, 0.0) / rest_s if rest_s else 1.0
        if last >= promise - 1e-9:
            kept_s += rest_s
        return kept_s / HOUR_S, total_s / HOUR_S


def _add(hours: dict[int, float], begin: float, end: float, share: float) -> None:
    """Add a span of running to the hours it falls into."""
    hour = int(begin // HOUR_S)
    while begin < end:
        upto = min(end, (hour + 1) * HOUR_S)
        hours[hour] = hours.get(hour, 0.0) + (upto - begin) * share
        begin = upto
        hour += 1
