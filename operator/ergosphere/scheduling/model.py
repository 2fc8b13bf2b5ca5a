"""What the planner sees and what it decides, as plain values.

Times are seconds on one clock, chosen by the caller. A `Placement` maps each rank to the name of the node
that hosts it. All values are immutable: two equal inputs give two equal plans.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ergosphere.scheduling.ledger import Ledger

Placement = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `foreign` GPUs are used by pods outside our jobs; `domains` follows `Fleet.levels`."""

    name: str
    gpus: int
    gpu_type: str = ""
    domains: tuple[str, ...] = ()
    foreign: int = 0
    ready: bool = True
    cordoned: bool = False
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The nodes, by name, and the names of the topology levels, outermost first."""

    nodes: Mapping[str, Node]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """A promise: the fraction of the GPU time asked for that a job receives over the sliding window.

    Jobs of a tier with a lower `rank` yield first. A promise of 0 promises nothing.
    """

    name: str
    promise: float
    rank: int
    window_s: float = 3600.0


DEFAULT_TIERS: Mapping[str, Tier] = {
    tier.name: tier for tier in (Tier("Premium", 0.95, 2), Tier("Standard", 0.70, 1), Tier("Basic", 0.0, 0))
}


class State(StrEnum):
    """Where a job stands for the planner."""

    WAITING = "Waiting"
    """Wants to run and holds nothing (but may still be leaving its former nodes)."""
    STARTING = "Starting"
    """Has a placement, and no worker's program runs yet."""
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    """Must not run, by its owner's wish; preempted when it holds a placement."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Keep all workers within one domain of `level`; when not required, only if that is possible now."""

    level: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Moving:
    """What it costs to move a job: the size of its checkpoint, the bandwidth it was measured to move at.

    `overhead_s` is spent at every move whatever the size. `saved_at` is the time of the last checkpoint.
    """

    bytes: int = 0
    bytes_per_s: float = 1e9
    overhead_s: float = 10.0
    saved_at: float | None = None

    @property
    def pause_s(self) -> float:
        """Seconds during which the job makes no progress: written once, read once."""
        return self.overhead_s + 2 * self.bytes / self.bytes_per_s


@dataclass(frozen=True, slots=True)
class Relocation:
    """Its owner's wish that a job leave its present nodes: for these, or for any others if there are none."""

    nodes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Job:
    """One gang. `workers` is what the job asks for, and what its promise is measured by.

    `placement` is what the job holds or was assigned; `leaving` names the node of every worker of an
    earlier incarnation that is still to go. A job with a non-empty `leaving` is on the move and is left
    alone, unless its placement is lost.
    """

    name: str
    workers: int = 1
    gpus_per_worker: int = 1
    tier: str = "Standard"
    priority: int = 0
    submitted: float = 0.0
    state: State = State.WAITING
    placement: Placement = ()
    leaving: tuple[str, ...] = ()
    started: float = 0.0
    """When it was given its present placement; for a waiting job, when it lost its last one."""
    min_workers: int | None = None
    max_workers: int | None = None
    gpu_types: frozenset[str] = frozenset()
    """Acceptable GPU types; empty accepts any."""
    platforms: frozenset[str] = frozenset()
    """Platforms where its checkpoint can be restored; empty accepts any."""
    allowed: frozenset[str] | None = None
    """The only nodes it may use; None allows all."""
    excluded: frozenset[str] = frozenset()
    """Nodes it must not be given; where it runs already it may stay."""
    topology: Topology | None = None
    relocation: Relocation | None = None
    """Honoured while it runs, where there is room."""
    moving: Moving = field(default_factory=Moving)
    ledger: Ledger = field(default_factory=Ledger)
    admitted: float | None = None
    """When the tier's promise began to hold for it; None until the fleet has room for one more promise."""
    work_s: float | None = None
    """Run time left at `started`, with `workers` workers. Only policies that are told durations read it."""

    @property
    def smallest(self) -> int:
        """The fewest workers the job runs with."""
        return self.workers if self.min_workers is None else self.min_workers

    @property
    def largest(self) -> int:
        """The most workers the job can use."""
        return self.workers if self.max_workers is None else self.max_workers

    @property
    def elastic(self) -> bool:
        """Whether the number of workers may change."""
        return self.smallest < self.largest


@dataclass(frozen=True, slots=True)
class Start:
    """Run the job on `placement`, from its last checkpoint if it has one.

    Also given for a job whose placement is lost: what remains of it is ended first. `after` names the jobs
    that must have left some of these nodes before.
    """

    job: str
    placement: Placement
    reason: str
    message: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preempt:
    """Cut the job and let it wait. Without `cut` no cut is possible: it falls back to its last checkpoint."""

    job: str
    reason: str
    message: str
    cut: bool = True


@dataclass(frozen=True, slots=True)
class Migrate:
    """Cut the job and resume it on `placement`, with as many workers as before."""

    job: str
    placement: Placement
    reason: str
    message: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resize:
    """Cut the job and resume it on `placement` with another number of workers."""

    job: str
    placement: Placement
    reason: str
    message: str
    after: tuple[str, ...] = ()


Action = Start | Preempt | Migrate | Resize


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job does not run, or not where it is to: a CamelCase reason and a sentence for its owner."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, those actions that free GPUs first, and why each remaining job waits.

    A running job is in `waiting` while its relocation has to wait.
    `admitted` names the jobs whose promise holds from now on: the caller sets their `Job.admitted`.
    `look_again` is the time at which the passing of time alone may change the plan; None when it cannot.
    """

    actions: tuple[Action, ...] = ()
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    admitted: tuple[str, ...] = ()
    look_again: float | None = None
