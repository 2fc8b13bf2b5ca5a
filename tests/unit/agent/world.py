"""A model of all that an agent acts on: the launcher with its lease, the network's lock, the store."""

from ergosphere.agent import effects as do
from ergosphere.agent.inputs import Connected, Failed, Outcome, Succeeded
from ergosphere.api.agent import Failure

BUSY = Failure(reason="Busy", message="Something is under way.")
WRONG_STATE = Failure(reason="WrongState", message="The program is in another state.")


def of_launcher(work: do.Work) -> bool:
    """Whether it is the launcher that does this work."""
    return type(work).__name__.startswith("Launcher")


class World:
    """What is true, whether or not the agent has heard of it."""

    def __init__(self) -> None:
        self.program, self.frozen_for, self.locked, self.dumped = "Waiting", "", False, False
        self.lease: float | None = None
        self.starts = 0
        self.busy: do.Work | None = None
        self.stored: set[str] = set()

    def expire(self, now: float) -> str:
        """Thaw a program whose lease has ended; the cut it was frozen for."""
        cut = self.frozen_for
        if self.lease is None or now < self.lease:
            return ""
        self._thaw()
        return cut

    def carry_out(self, work: do.Work, now: float) -> Succeeded | Failed:
        """Do what the agent asks, as the launcher, the kernel and the store would."""
        if self.busy and of_launcher(work) and not isinstance(work, do.LauncherStatus):
            return Failed(work, BUSY)
        act = getattr(self, f"_{type(work).__name__}", None)
        outcome = act(work, now) if act else Outcome()
        return Succeeded(work, outcome) if outcome else Failed(work, WRONG_STATE)

    def word(self) -> Connected:
        """What the launcher answers to a question for its status."""
        return Connected(self.program, self.frozen_for, busy=self.busy is not None)

    def finish(self, now: float) -> None:
        """The launcher comes to the end of what it was at when its agent was killed."""
        work, self.busy = self.busy, None
        if work:
            self.carry_out(work, now)

    def _NetUp(self, *_: object) -> Outcome:
        return Outcome(locked=self.locked)

    def _NetLock(self, *_: object) -> Outcome:
        self.locked = True
        return Outcome()

    def _NetUnlock(self, *_: object) -> Outcome:
        self.locked = False
        return Outcome()

    _NetOpen = _NetUnlock

    def _LauncherStatus(self, *_: object) -> Outcome:
        return Outcome(status=self.word())

    def _LauncherStart(self, *_: object) -> Outcome:
        if self.program == "Waiting":
            self.starts += 1
            self.program = "Running"
        return Outcome()

    def _LauncherPrepare(self, *_: object) -> Outcome | None:
        return Outcome() if self.program == "Running" else None

    def _LauncherFreeze(self, work: do.LauncherFreeze | do.LauncherDump, now: float) -> Outcome | None:
        if self.program == "Running":
            self.program, self.frozen_for, self.lease = "Frozen", work.cut, now + work.lease_seconds
            self.dumped = False
        return Outcome() if self.frozen_for == work.cut else None

    def _LauncherDump(self, work: do.LauncherDump, now: float) -> Outcome | None:
        frozen = self._LauncherFreeze(work, now)
        if frozen and not self.dumped:
            self.dumped, self.lease = True, now + work.lease_seconds
        return frozen

    def _LauncherRenew(self, work: do.LauncherRenew, now: float) -> Outcome | None:
        if self.frozen_for != work.cut:
            return None
        self.lease = now + work.lease_seconds
        return Outcome()

    def _LauncherThaw(self, work: do.LauncherThaw, _: float) -> Outcome | None:
        if self.program == "Frozen" and self.frozen_for != work.cut:
            return None
        self._thaw()
        return Outcome()

    def _LauncherLeave(self, work: do.LauncherLeave, _: float) -> Outcome | None:
        if self.frozen_for != work.cut:
            return None
        assert work.cut in self.stored, "ended a program whose image is nowhere"
        self.program, self.lease = "Left", None
        return Outcome()

    def _StoreSave(self, work: do.StoreSave, _: float) -> Outcome:
        assert self.dumped, "stored an image that was never written"
        self.stored.add(work.cut)
        return Outcome(digest=f"digest of {work.cut}")

    def _thaw(self) -> None:
        self.program, self.frozen_for, self.lease = "Running", "", None
