"""What the agent's core hears: the operator, the launcher, the ends of its effects, and the clock."""

from dataclasses import dataclass, field

from ergosphere.agent.effects import Work
from ergosphere.agent.origin import Origin
from ergosphere.api.agent import Command, Exit, Failure


@dataclass(frozen=True)
class Connected:
    """The launcher answered `status`. `state` is its word for where the program stands.

    `busy` says that the launcher is at work on what may change that: it will not stay so.
    """

    state: str
    cut: str = ""
    exit: Exit | None = None
    busy: bool = False


@dataclass(frozen=True)
class Disconnected:
    """The launcher's socket closed, with whatever was asked of it unanswered."""


@dataclass(frozen=True)
class Gone:
    """The launcher has ended: its socket is there, and nobody listens."""


@dataclass(frozen=True)
class Exited:
    """The program ended."""

    exit: Exit


@dataclass(frozen=True)
class Thawed:
    """The launcher resumed the program by itself."""

    cut: str
    reason: str


@dataclass(frozen=True)
class Terminating:
    """The launcher got SIGTERM: the pod is being deleted or evicted."""


@dataclass(frozen=True)
class Commanded:
    """The operator sent a command."""

    command: Command


@dataclass(frozen=True)
class Outcome:
    """What an effect brought: durations of its parts, sizes, and what it found.

    `origin` is where a fetched process comes from; there is none for what a program saved itself.
    """

    parts_ms: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    new_bytes: int = 0
    digest: str = ""
    origin: Origin | None = None
    locked: bool = False
    status: Connected | None = None


@dataclass(frozen=True)
class Succeeded:
    """An effect was carried out."""

    work: Work
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True)
class Failed:
    """An effect was not carried out; what it acts on is as before. `lost`: its outcome is unknown."""

    work: Work
    failure: Failure
    lost: bool = False


@dataclass(frozen=True)
class Tick:
    """The time that `state.deadline` named has come."""


Event = Connected | Disconnected | Gone | Exited | Thawed | Terminating
Input = Event | Commanded | Succeeded | Failed | Tick
