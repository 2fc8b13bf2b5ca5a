"""`Checkpoint`: one consistent cut of one job."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ergosphere.api.cel import immutable, rules
from ergosphere.api.definition import AGE, Column, Definition
from ergosphere.api.meta import (
    Conditions,
    Count,
    Generation,
    Model,
    ObjectName,
    Resource,
    Size,
    Time,
    Timings,
    is_true,
)

KIND = "Checkpoint"
PLURAL = "checkpoints"
READY = "Ready"
FAILED = "Failed"

Digest = Annotated[str, Field(max_length=256)]
Images = Annotated[
    dict[Annotated[str, Field(max_length=63)], Annotated[str, Field(max_length=1024)]], Field(max_length=32)
]


class CheckpointReason(StrEnum):
    """Why a cut was made."""

    REQUESTED = "Requested"
    INTERVAL = "Interval"
    MIGRATION = "Migration"
    SUSPEND = "Suspend"
    PREEMPTION = "Preemption"
    EVICTION = "Eviction"
    DRAIN = "Drain"
    RESIZE = "Resize"


class CheckpointPhase(StrEnum):
    """A summary of the conditions, for printing only."""

    PENDING = "Pending"
    CUTTING = "Cutting"
    STORING = "Storing"
    READY = "Ready"
    FAILED = "Failed"
    DELETING = "Deleting"


class Platform(Model):
    """What a node must offer for a process that was cut elsewhere to run there."""

    architecture: str = Field(max_length=64)
    """The processor architecture, as Kubernetes names it (amd64, arm64)."""

    kernel: str = Field(max_length=256)
    """The kernel release."""

    cpu_flags: str = Field(max_length=256)
    """A digest of the sorted CPU feature flags."""


class User(Model):
    """Whom the main container's program runs as, and where its home is."""

    uid: int = Field(ge=0, le=2**32 - 2)
    """The numeric user id."""

    gid: int = Field(ge=0, le=2**32 - 2)
    """The numeric primary group id."""

    groups: list[Annotated[int, Field(ge=0, le=2**32 - 2)]] = Field(default=[], max_length=64)
    """The supplementary group ids."""

    home: str = Field(default="", max_length=4096)
    """The home directory."""


class CheckpointSpec(Model):
    """What to cut, and why."""

    model_config = ConfigDict(json_schema_extra=rules(immutable("jobName", KIND), immutable("reason", KIND)))

    job_name: ObjectName
    """The TrainingJob to cut, in the same namespace."""

    reason: CheckpointReason = CheckpointReason.REQUESTED
    """Why: Requested by a user, or what made the operator cut the job."""

    pinned: bool = False
    """Keep this checkpoint when the job's retention (spec.checkpoint.keep) or its age would delete it."""

    ttl_seconds: int | None = Field(default=None, ge=1, le=2**31 - 1)
    """How long after its completion the checkpoint is deleted, in seconds. Without it, age does not matter.
    A job that has not finished keeps the checkpoint that it goes on from."""


class CheckpointStatus(Model):
    """What became of the cut."""

    observed_generation: Generation = 0
    """The metadata.generation that this status was derived from."""

    conditions: Conditions = Field(default=[])
    """Ready: the checkpoint is complete in the store. Failed: it will never be, and why."""

    phase: CheckpointPhase | None = None
    """A summary of the conditions, for printing."""

    id: str = Field(default="", max_length=253)
    """The checkpoint's name in the store."""

    digest: Digest = ""
    """The digest of the checkpoint's manifest."""

    bytes: Size | None = None
    """The size of the images before deduplication and compression, in bytes."""

    new_bytes: Size | None = None
    """What the store had to add for it, in bytes."""

    parts_ms: Timings = Field(default={})
    """How long each part of the cut took (prepare, lock, freeze, dump, files, store), in milliseconds."""

    stall_ms: float | None = Field(default=None, ge=0)
    """How long the job stood still, in milliseconds; absent when the job left with this cut."""

    start_time: Time | None = None
    """When the cut began."""

    completion_time: Time | None = None
    """When the checkpoint was complete, or had failed."""

    job_uid: str = Field(default="", max_length=64)
    """The unique id of the job that was cut."""

    incarnation: Count = 0
    """The incarnation of the job that was cut."""

    ranks: Count = 0
    """How many workers the checkpoint holds."""

    platform: Platform | None = None
    """What a node must offer for the checkpoint to be restored there."""

    user: User | None = None
    """Whom the program ran as."""

    images: Images = Field(default={})
    """The image of each container, pinned to the digest that the job was started with."""

    container: str = Field(default="", max_length=63)
    """The container that was cut."""


class Checkpoint(Resource):
    """One consistent cut of one training job, kept in the checkpoint store.

    Create one to cut a running job now; a new job starts from it with spec.restoreFrom.
    Deleting the object deletes the checkpoint from the store.
    """

    kind: Literal["Checkpoint"] = "Checkpoint"
    spec: CheckpointSpec
    status: CheckpointStatus = CheckpointStatus()

    @property
    def ready(self) -> bool:
        """Whether the checkpoint is complete in the store."""
        return is_true(self.status.conditions, READY)

    @property
    def failed(self) -> bool:
        """Whether the checkpoint will never be complete."""
        return is_true(self.status.conditions, FAILED)


DEFINITION = Definition(
    model=Checkpoint,
    plural=PLURAL,
    short_names=("ckpt",),
    selectable=(".spec.jobName",),
    columns=(
        Column("Job", ".spec.jobName", "The job that was cut."),
        Column("Phase", ".status.phase", "How far the checkpoint has come."),
        Column("Reason", ".spec.reason", "Why the job was cut."),
        Column("Bytes", ".status.bytes", "The size before deduplication and compression.", "integer"),
        Column("New-Bytes", ".status.newBytes", "What the store had to add.", "integer"),
        Column("Stall-Ms", ".status.stallMs", "How long the job stood still, in milliseconds.", "number"),
        Column("Pinned", ".spec.pinned", "Whether retention spares it.", "boolean", wide=True),
        Column("Incarnation", ".status.incarnation", "The incarnation that was cut.", "integer", wide=True),
        Column("Id", ".status.id", "The checkpoint's name in the store.", wide=True),
        AGE,
    ),
)
