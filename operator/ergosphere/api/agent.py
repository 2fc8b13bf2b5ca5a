"""The protocol between operator and agent: what an agent reports, and what it is told.

An agent's whole observable state is one `Report`. Commands are idempotent: repeating one that has
been carried out changes nothing, so the operator may send again whatever it is not sure of.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ergosphere.api.meta import Timings

AGENT_PORT = 7600


# An RFC 1123 subdomain: a cut's id is the name of its Checkpoint, and of a directory in the worker.
CutId = Annotated[
    str,
    Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Word(BaseModel):
    """A part of a report. What an agent newer than the operator adds to it is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Phase(StrEnum):
    """Where the worker's program stands: unknown to an agent that was started again while the program ran."""

    UNKNOWN = "Unknown"
    BOOTING = "Booting"
    FETCHING = "Fetching"
    WAITING = "Waiting"
    RESTORED = "Restored"
    RUNNING = "Running"
    FROZEN = "Frozen"
    LEFT = "Left"
    EXITED = "Exited"
    FAILED = "Failed"


class CutStep(StrEnum):
    """How far a rank has come in a cut. The order of the members is the order of the protocol."""

    LOCKED = "Locked"
    DUMPED = "Dumped"
    STORED = "Stored"
    COMMITTED = "Committed"
    ABORTED = "Aborted"


class Failure(_Word):
    """Why something did not happen; `reason` is CamelCase, `message` is for the job's owner."""

    reason: str = Field(max_length=64, pattern=r"^[A-Z][A-Za-z0-9]*$")
    message: str = Field(max_length=2048)


class CutReport(_Word):
    """One rank's part of one cut. `parts_ms` holds the duration of each finished part in milliseconds.

    `frozen` says whether the program stands still for it; None where it is frozen and dumped in one.
    """

    cut: str
    step: CutStep | None = None
    frozen: bool | None = None
    released: bool = False
    failure: Failure | None = None
    digest: str = ""
    bytes: int = 0
    new_bytes: int = 0
    parts_ms: Timings = {}


class Exit(_Word):
    """How the program ended; `signal` is 0 unless one killed it."""

    code: int
    signal: int = 0


class Platform(_Word):
    """What a node must offer for a process cut here to run there."""

    architecture: str
    kernel: str
    cpu_flags: str = Field(description="Digest of the sorted CPU feature flags.")


class Report(_Word):
    """All that the operator can know of one worker. `version` grows with every change."""

    version: int
    rank: int
    incarnation: int
    phase: Phase
    platform: Platform
    cut: CutReport | None = None
    restore_ms: Timings = {}
    exit: Exit | None = None
    failure: Failure | None = None
    terminating: bool = False


class Go(_Command):
    """Start or resume the program. `peers` maps each rank to the address of its pod."""

    kind: Literal["Go"] = "Go"
    peers: dict[int, str] = {}


class Lock(_Command):
    """Stop all traffic of the job network and hold it until `Release`, `Leave`, `Abort` or the lease ends."""

    kind: Literal["Lock"] = "Lock"
    cut: CutId
    lease_seconds: float = Field(gt=0, le=600)


class Freeze(_Command):
    """Stop the program. Nothing is written before `Dump`, so that no rank's dump delays another's freeze."""

    kind: Literal["Freeze"] = "Freeze"
    cut: CutId


class Dump(_Command):
    """Freeze the program, unless it is, and write its image; it stays frozen."""

    kind: Literal["Dump"] = "Dump"
    cut: CutId


class Store(_Command):
    """Move the image to the store."""

    kind: Literal["Store"] = "Store"
    cut: CutId


class Commit(_Command):
    """Write the manifest that makes the stored ranks a checkpoint. `digests` are in rank order."""

    kind: Literal["Commit"] = "Commit"
    cut: CutId
    digests: list[str] = Field(max_length=65536)


class Release(_Command):
    """Let the program run on after its image was written."""

    kind: Literal["Release"] = "Release"
    cut: CutId


class Leave(_Command):
    """End the frozen program for good: it goes on elsewhere."""

    kind: Literal["Leave"] = "Leave"
    cut: CutId


class Abort(_Command):
    """Undo the cut: thaw, unlock, forget the image."""

    kind: Literal["Abort"] = "Abort"
    cut: CutId
    failure: Failure


class Renew(_Command):
    """Extend the lease of a cut under way."""

    kind: Literal["Renew"] = "Renew"
    cut: CutId
    lease_seconds: float = Field(gt=0, le=600)


Command = Annotated[
    Go | Lock | Freeze | Dump | Store | Commit | Release | Leave | Abort | Renew, Field(discriminator="kind")
]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
