"""`TrainingJob`: a gang of workers made from one pod template."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ergosphere.api.cel import immutable, rule, rules
from ergosphere.api.checkpoint import CheckpointReason, Images, Platform, User
from ergosphere.api.definition import AGE, Column, Definition
from ergosphere.api.meta import (
    Conditions,
    Count,
    Generation,
    LabelName,
    Model,
    ObjectName,
    Resource,
    Size,
    Time,
    Timings,
    is_true,
)
from ergosphere.api.pod_template import Container, PodTemplate
from ergosphere.api.training_job_rules import SPEC_RULES

KIND = "TrainingJob"
PLURAL = "trainingjobs"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETE = "Complete"
FAILED = "Failed"
MOST_UNFIT = 256
MAX_WORKERS = 4096
MAX_LEDGER = 128

LabelKey = Annotated[str, Field(max_length=317)]


class CheckpointMode(StrEnum):
    """How the state of a job is saved."""

    TRANSPARENT = "Transparent"
    COOPERATIVE = "Cooperative"


class DeletionPolicy(StrEnum):
    """What becomes of a job's checkpoints when the job is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class CutPurpose(StrEnum):
    """Whether the job runs on after a cut, or leaves its nodes with it."""

    KEEP = "Keep"
    LEAVE = "Leave"


class JobPhase(StrEnum):
    """A summary of the conditions, for printing only."""

    PENDING = "Pending"
    STARTING = "Starting"
    RUNNING = "Running"
    CHECKPOINTING = "Checkpointing"
    MIGRATING = "Migrating"
    SUSPENDING = "Suspending"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"


class Elasticity(Model):
    """How far the number of workers may be changed while the job runs."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("self.minWorkers <= self.maxWorkers", "must be at least minWorkers", field=".maxWorkers")
        )
    )

    min_workers: int = Field(ge=1, le=MAX_WORKERS)
    """The fewest workers that the job can run with."""

    max_workers: int = Field(ge=1, le=MAX_WORKERS)
    """The most workers that the job can use."""


class Topology(Model):
    """How near to each other the workers are placed. Levels are node labels."""

    required: LabelKey | None = None
    """All workers run on nodes with the same value of this label; the job waits until that is possible."""

    preferred: LabelKey | None = None
    """As many workers as possible run on nodes with the same value of this label."""


class Placement(Model):
    """Where the workers may run, beyond what the template's nodeSelector, affinity and tolerations say."""

    gpu_types: list[Annotated[str, Field(min_length=1, max_length=63)]] = Field(default=[], max_length=32)
    """The GPU models that the job can run on, as the node label nvidia.com/gpu.product gives them.
    Empty: any."""

    topology: Topology = Topology()
    """How near to each other the workers are placed."""


class SaveSignal(StrEnum):
    """A signal that a program can handle by saving its state."""

    HUP = "SIGHUP"
    INT = "SIGINT"
    QUIT = "SIGQUIT"
    TERM = "SIGTERM"
    USR1 = "SIGUSR1"
    USR2 = "SIGUSR2"


class Cooperation(Model):
    """How a program that saves its own state is told to, and where it does.

    It is started again to go on from there, with the variable ERGOSPHERE_CHECKPOINT naming the directory.
    Every worker then finds in it what all workers saved; where several saved the same file, its own counts.
    """

    signal: SaveSignal = SaveSignal.USR1
    """The signal that makes the program save its state and exit with 0. It goes to the first process that
    handles it, or to several where a shell or torchrun has started them."""

    grace_period_seconds: int = Field(default=300, ge=1, le=86400)
    """How long the program may take for it, in seconds (1 to 86400). After that the job is not moved."""

    directory: str = Field(min_length=2, max_length=1024, pattern="^/[^/]")
    """The directory that the program saves its state in, as an absolute path. It is stored and restored,
    unless it lies on a volume other than an emptyDir: such a one is expected where the job goes on."""


class CheckpointPolicy(Model):
    """How, how often and for how long the job's state is saved."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            immutable("mode", KIND),
            rule(
                "has(self.cooperative) == (self.mode == 'Cooperative')",
                "must be there for mode Cooperative, and only for it",
                field=".cooperative",
            ),
        )
    )

    mode: CheckpointMode = CheckpointMode.TRANSPARENT
    """Transparent: the processes are saved as they are, and the program notices nothing.
    Cooperative: the program saves its own state on a signal and ends, and is started again to go on."""

    interval_seconds: int = Field(default=0, ge=0, le=2592000)
    """How often to save the running job, in seconds (at most 2592000). 0: only when it has to move."""

    keep: int = Field(default=3, ge=1, le=1000)
    """How many complete checkpoints to keep (1 to 1000); older ones are deleted unless they are pinned
    or were asked for."""

    ttl_seconds: int | None = Field(default=None, ge=1, le=2**31 - 1)
    """How long after its completion each new checkpoint is deleted, in seconds, whatever keep says.
    Without it, age does not matter."""

    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Whether the job's checkpoints outlive it (Retain) or go with it (Delete)."""

    cooperative: Cooperation | None = None
    """How the program saves its own state. Only for mode Cooperative."""


class ObjectReference(Model):
    """An object in the same namespace."""

    name: ObjectName
    """The object's name."""


class Migration(Model):
    """A wish that the job move once. It is fulfilled as soon as the incarnation that it names has left."""

    incarnation: int = Field(ge=1, le=2**31 - 1)
    """The incarnation that is to leave its nodes, as status.incarnation gives it. Later ones stay where they
    are."""

    nodes: list[Annotated[str, Field(min_length=1, max_length=253)]] = Field(
        default=[], max_length=256, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """The nodes that it may go on at. Empty: any but those that it leaves."""


class TrainingJobSpec(Model):
    """What the job should be."""

    model_config = ConfigDict(json_schema_extra=SPEC_RULES)

    template: PodTemplate
    """What each worker's pod is made from, as in a Job. Immutable."""

    workers: int = Field(default=1, ge=1, le=MAX_WORKERS)
    """How many workers the job has (1 to 4096). All of them run, or none."""

    tier: ObjectName = "standard"
    """The ServiceTier whose promise holds for the job."""

    priority: int = Field(default=0, ge=-1000, le=1000)
    """The order among jobs of one tier (-1000 to 1000); higher goes first."""

    container: LabelName | None = None
    """The container whose program is checkpointed. Needed when more than one asks for GPUs;
    otherwise it is the one that asks for GPUs, or the first. Immutable."""

    elasticity: Elasticity | None = None
    """How far the number of workers may change while the job runs. Only for checkpoint mode Cooperative."""

    placement: Placement = Placement()
    """Where the workers may run."""

    checkpoint: CheckpointPolicy = CheckpointPolicy()
    """How, how often and for how long the job's state is saved."""

    suspend: bool = False
    """Stop the job and free its GPUs: it is checkpointed, and its pods are deleted.
    Set to false again, it goes on where it was cut."""

    migration: Migration | None = None
    """Move the running job once: it is checkpointed and goes on at other nodes, as soon as they have room for
    it. The condition Migrated says what became of it."""

    restore_from: ObjectReference | None = None
    """The Checkpoint that the job starts from. Immutable."""

    backoff_limit: int = Field(default=6, ge=0, le=2**31 - 1)
    """How often the job may fail before it is given up. Moves are not failures."""

    active_deadline_seconds: int | None = Field(default=None, ge=1, le=2**31 - 1)
    """How long the job may run before it is given up, in seconds since it was started.
    Suspending the job sets the clock back."""

    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """How long after its end the job is deleted, in seconds. Without it the job stays."""

    def main_container(self) -> Container:
        """Return the container of the template whose program is checkpointed.

        Raises ValueError where `container` names none, or is needed and not there.
        """
        containers = self.template.spec.containers
        if self.container is not None:
            named = next((c for c in containers if c.name == self.container), None)
            if named is None:
                raise ValueError(f"spec.container: no container of the template is named {self.container!r}")
            return named
        asking = [c for c in containers if c.gpus() > 0]
        if len(asking) > 1:
            raise ValueError("spec.container: must name one of the containers that ask for GPUs")
        return asking[0] if asking else containers[0]

    def gpus_per_worker(self) -> int:
        """Return how many GPUs one worker's pod asks for."""
        return sum(c.gpus() for c in self.template.spec.containers)


class WorkerPlacement(Model):
    """Which node a worker was placed on."""

    rank: int = Field(ge=0, le=MAX_WORKERS - 1)
    """The worker."""

    node: str = Field(max_length=253)
    """The node."""


class Cut(Model):
    """A cut under way."""

    name: ObjectName
    """The Checkpoint that it makes."""

    purpose: CutPurpose
    """Keep: the job runs on. Leave: it goes on elsewhere, or later."""

    reason: CheckpointReason
    """Why the job is cut."""

    target: list[WorkerPlacement] = Field(default=[], max_length=MAX_WORKERS)
    """The nodes that the job goes on at, once it has left; empty when it is to wait."""


class LedgerEntry(Model):
    """What a job had and asked for, from a time until the next entry's."""

    since: Time
    """From when on."""

    workers: int = Field(ge=0, le=MAX_WORKERS)
    """How many workers had their GPUs."""

    asked: int = Field(ge=0, le=MAX_WORKERS)
    """How many workers the job asked for."""


class LastCheckpoint(Model):
    """The newest complete checkpoint."""

    name: ObjectName
    """The Checkpoint's name."""

    time: Time
    """When the job was cut."""

    bytes: Size = 0
    """Its size before deduplication and compression, in bytes."""

    new_bytes: Size = 0
    """What the store had to add for it, in bytes."""

    stall_ms: float | None = Field(default=None, ge=0)
    """How long the job stood still for it, in milliseconds; absent when the job left with it."""


class TrainingJobStatus(Model):
    """What the job is."""

    observed_generation: Generation = 0
    """The metadata.generation that this status was derived from."""

    conditions: Conditions = Field(default=[])
    """The current state: Running, Suspended, Complete, Failed and others."""

    phase: JobPhase | None = None
    """A summary of the conditions, for printing."""

    incarnation: Count = 0
    """How often the job has been started or restored. It names the pods."""

    placement: list[WorkerPlacement] = Field(default=[], max_length=MAX_WORKERS)
    """The nodes that the current incarnation was placed on."""

    nodes: str = Field(default="", max_length=65536)
    """The same nodes, for printing."""

    gpus: Count = 0
    """How many GPUs the job holds."""

    gpu_fraction: str | None = Field(default=None, max_length=16)
    """The share of the GPU time it asked for that the job has received over its tier's window."""

    ledger: list[LedgerEntry] = Field(default=[], max_length=MAX_LEDGER)
    """What the job had and asked for over time, oldest first: its GPU fraction follows from it."""

    admitted_time: Time | None = None
    """Since when the tier's promise holds for the job: from then on the fleet has room for it."""

    cuts: Count = 0
    """How many cuts have been begun. It names the checkpoints."""

    cut: Cut | None = None
    """The cut under way."""

    restore_from: str = Field(default="", max_length=253)
    """The id of the checkpoint that the current incarnation started from; empty for a fresh start."""

    images: Images = Field(default={})
    """The image of each container, pinned to the digest of the first start."""

    last_checkpoint: LastCheckpoint | None = None
    """The newest complete checkpoint."""

    failures: Count = 0
    """How often the job has failed; counts against spec.backoffLimit."""

    restarts: Count = 0
    """How often the job has gone on from a checkpoint."""

    lost_seconds: float | None = Field(default=None, ge=0)
    """The work that failures have undone, in seconds."""

    start_time: Time | None = None
    """When the job was started first, or after it was last suspended."""

    completion_time: Time | None = None
    """When the job ended."""

    not_before: Time | None = None
    """After a failure: when the job may start again, or be cut again."""

    left_time: Time | None = None
    """When the job last left its nodes with a cut."""

    finished_ranks: list[Annotated[int, Field(ge=0, le=MAX_WORKERS - 1)]] = Field(
        default=[], max_length=MAX_WORKERS
    )
    """The ranks of the current incarnation whose programs have ended with 0, while others run."""

    ran_incarnation: Count = 0
    """The last incarnation whose every worker was seen to run."""

    placed_time: Time | None = None
    """When the current incarnation was placed."""

    unfit_nodes: list[Annotated[str, Field(max_length=253)]] = Field(default=[], max_length=MOST_UNFIT)
    """Nodes that could not take the job since it was last placed, for reasons the Events name."""

    user: User | None = None
    """Whom the main container's program runs as."""

    platform: Platform | None = None
    """What a node must offer for the job to go on there."""

    timings: Timings = Field(default={})
    """How long each part of the last move took, in milliseconds (freeze, dump, store, place, fetch...)."""


class TrainingJob(Resource):
    """A training job: a gang of workers that may be cut anywhere and goes on elsewhere exactly at the cut."""

    kind: Literal["TrainingJob"] = "TrainingJob"
    spec: TrainingJobSpec
    status: TrainingJobStatus = TrainingJobStatus()

    @property
    def finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return is_true(self.status.conditions, COMPLETE) or is_true(self.status.conditions, FAILED)


DEFINITION = Definition(
    model=TrainingJob,
    plural=PLURAL,
    short_names=("tj",),
    categories=("all", "ergosphere"),
    selectable=(".spec.tier", ".status.phase"),
    columns=(
        Column("Phase", ".status.phase", "What the job is doing."),
        Column("Tier", ".spec.tier", "The tier whose promise holds for the job."),
        Column("GPUs", ".status.gpus", "How many GPUs the job holds.", "integer"),
        Column("Nodes", ".status.nodes", "The nodes that the job runs on."),
        Column(
            "Last-Checkpoint", ".status.lastCheckpoint.time", "How long ago the job was last saved.", "date"
        ),
        AGE,
        Column(
            "GPU-Fraction", ".status.gpuFraction", "The share of GPU time that the job received.", wide=True
        ),
        Column(
            "Restarts", ".status.restarts", "How often it went on from a checkpoint.", "integer", wide=True
        ),
        Column(
            "Incarnation",
            ".status.incarnation",
            "How often it was started or restored.",
            "integer",
            wide=True,
        ),
    ),
)
