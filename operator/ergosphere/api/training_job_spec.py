"""The spec of a `TrainingJob`: what its owner asks for."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ergosphere.api.cel import immutable, rule, rules
from ergosphere.api.container import Container
from ergosphere.api.meta import (
    LabelName,
    Model,
    ObjectName,
)
from ergosphere.api.pod_template import PodTemplate
from ergosphere.api.training_job_rules import SPEC_RULES

KIND = "TrainingJob"
# Each pod of a job names all its ranks: four times as many workers would be 910 MiB of pods in etcd.
MAX_WORKERS = 1024

LabelKey = Annotated[str, Field(max_length=317)]


class CheckpointMode(StrEnum):
    """How the state of a job is saved."""

    TRANSPARENT = "Transparent"
    COOPERATIVE = "Cooperative"


class DeletionPolicy(StrEnum):
    """What becomes of a job's checkpoints when the job is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


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
    """How many workers the job has (1 to 1024). All of them run, or none."""

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
