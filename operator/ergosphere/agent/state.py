"""What an agent knows, as one immutable value, and the report that follows from it."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from ergosphere.agent.effects import LauncherStart, LauncherThaw, StoreWork, TreeWork
from ergosphere.agent.node import NodePlatform
from ergosphere.api.agent import CutReport, CutStep, Exit, Failure, Phase, Report

RESTORE_DIRECTORY = "_restore"
"""Name of the directory of the image that is restored; no cut can have it as its id."""


class Program(StrEnum):
    """Where the launcher says the program stands, and two states that only the agent knows."""

    UNKNOWN = "Unknown"
    WAITING = "Waiting"
    RUNNING = "Running"
    FROZEN = "Frozen"
    RESTORED = "Restored"
    EXITED = "Exited"
    LEFT = "Left"


@dataclass(frozen=True)
class Wishes:
    """What the operator has asked of a cut. Only ever added to."""

    freeze: bool = False
    dump: bool = False
    store: bool = False
    commit: tuple[str, ...] = ()
    release: bool = False
    leave: bool = False
    abort: bool = False


@dataclass(frozen=True)
class Cut:
    """One rank's part of a cut.

    `lease_until` is in seconds of this node's monotonic clock; `launcher_knows` is what the launcher was
    told of it. `held_since`, of the same clock, is when the cut began to hold the program up.
    """

    id: str
    lease_until: float
    lease_seconds: float
    wishes: Wishes = Wishes()
    launcher_knows: float = 0.0
    held_since: float | None = None
    prepared: bool = False
    locked: bool = False
    frozen: bool = False
    dumped: bool = False
    stored: bool = False
    committed: bool = False
    released: bool = False
    undone: bool = False
    failure: Failure | None = None
    digest: str = ""
    bytes: int = 0
    new_bytes: int = 0
    parts_ms: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the program may be kept from running on because of this cut."""
        return not (self.released or self.undone)

    def step(self) -> CutStep | None:
        """How far the cut has come. A committed cut stays so, even if its program was let run on."""
        reached = (
            (self.committed, CutStep.COMMITTED),
            (self.undone, CutStep.ABORTED),
            (self.stored, CutStep.STORED),
            (self.dumped, CutStep.DUMPED),
            (self.locked, CutStep.LOCKED),
        )
        return next((step for is_reached, step in reached if is_reached), None)

    def report(self, freezes: bool) -> CutReport:
        """What the operator sees of this cut; `freezes` says whether it is frozen before it is dumped."""
        return CutReport(
            cut=self.id,
            step=self.step(),
            frozen=self.frozen or self.dumped if freezes else None,
            released=self.released,
            failure=self.failure,
            digest=self.digest,
            bytes=self.bytes,
            new_bytes=self.new_bytes,
            parts_ms=self.parts_ms,
        )


@dataclass(frozen=True)
class State:
    """All that an agent knows.

    `tree` and `store` hold the work under way in the agent's two lanes: one for the program and its
    network, one for image files and the store. `garbage` names image directories to delete, `abandon` cuts
    to disown in the store, `past` cuts that are over, so that a late command cannot revive one.
    `restore` is the checkpoint still to be brought back. `go` holds the peers of a Go that came.
    `strange` are the addresses of earlier pods whose connections have not been ended yet. `cooperative`
    says that the program saves its own state and ends, and is started again to go on from it. `begun` says
    that a predecessor of this agent saw the program run, or was about to start it. `resync` asks for the
    launcher's word on where the program stands; what is known of it may be wrong until then.
    """

    rank: int
    world: int
    incarnation: int
    platform: NodePlatform
    version: int
    cooperative: bool = False
    restore: str = ""
    fetched: bool = False
    program: Program = Program.UNKNOWN
    begun: bool = False
    connected: bool = False
    network_up: bool = False
    network_locked: bool = False
    network_open: bool = False
    strange: tuple[str, ...] = ()
    adopted: bool = False
    go: dict[int, str] | None = None
    cut: Cut | None = None
    past: tuple[str, ...] = ()
    garbage: tuple[str, ...] = ()
    abandon: tuple[str, ...] = ()
    tree: TreeWork | None = None
    store: StoreWork | None = None
    cancelling: bool = False
    resync: bool = False
    retry_at: float | None = None
    restore_ms: dict[str, float] = field(default_factory=dict)
    exit: Exit | None = None
    failure: Failure | None = None
    terminating: bool = False

    def phase(self) -> Phase:
        """The one word for where the worker stands."""
        if self.failure and self.program not in _BEGUN:
            return Phase.FAILED
        if self.program in _PLAIN_PHASES:
            return _PLAIN_PHASES[self.program]
        if self.program is Program.UNKNOWN and self.begun:
            return Phase.UNKNOWN
        if self.restore:
            return Phase.FETCHING
        return Phase.WAITING if self.program is Program.WAITING and self.network_up else Phase.BOOTING

    def may_have_begun(self) -> bool:
        """Whether the program may have taken a step in this pod."""
        if self.program is Program.UNKNOWN:
            return self.begun
        return self.program in _BEGUN or isinstance(self.tree, LauncherStart | LauncherThaw)

    def report(self) -> Report:
        """What the operator sees."""
        return Report(
            version=self.version,
            rank=self.rank,
            incarnation=self.incarnation,
            phase=self.phase(),
            platform=self.platform.reported,
            cut=self.cut.report(self.world > 1 and not self.cooperative) if self.cut else None,
            restore_ms=self.restore_ms,
            exit=self.exit,
            failure=self.failure,
            terminating=self.terminating,
        )

    def deadline(self) -> float | None:
        """When, by the monotonic clock, the core wants a `Tick`."""
        times = [self.retry_at] if self.retry_at is not None else []
        if self.cut and self.lease_runs():
            times.append(self.cut.lease_until)
        return min(times, default=None)

    def lease_runs(self) -> bool:
        """Whether the end of the cut's lease would undo it."""
        cut = self.cut
        return cut is not None and cut.holds and not cut.wishes.abort and not cut.wishes.leave

    def with_cut(self, **changes: object) -> "State":
        """This state with changes to its cut, which must exist."""
        assert self.cut is not None
        return replace(self, cut=replace(self.cut, **changes))  # type: ignore[arg-type]

    def without_image(self, name: str) -> "State":
        """This state with an image directory marked for deletion."""
        return self if name in self.garbage else replace(self, garbage=(*self.garbage, name))

    def failing(self, failure: Failure, abort: bool = False) -> "State":
        """This state with its cut failed, for the first reason given, and if `abort` to be undone."""
        assert self.cut is not None
        wishes = replace(self.cut.wishes, abort=self.cut.wishes.abort or abort)
        return self.with_cut(wishes=wishes, failure=self.cut.failure or failure)


_BEGUN = (Program.RUNNING, Program.FROZEN, Program.EXITED, Program.LEFT)
_PLAIN_PHASES = {
    Program.RUNNING: Phase.RUNNING,
    Program.FROZEN: Phase.FROZEN,
    Program.RESTORED: Phase.RESTORED,
    Program.EXITED: Phase.EXITED,
    Program.LEFT: Phase.LEFT,
}
