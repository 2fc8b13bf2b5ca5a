"""The status of a `TrainingJob`: what the operator has seen and done."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ergosphere.api.checkpoint import CheckpointReason, Images, Platform, User
from ergosphere.api.meta import (
    Conditions,
    Count,
    Generation,
    Model,
    ObjectName,
    Size,
    Time,
    Timings,
)
from ergosphere.api.training_job_spec import MAX_WORKERS

RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETE = "Complete"
FAILED = "Failed"
MOST_UNFIT = 256
MAX_LEDGER = 128


def _nothing(value: object) -> bool:
    """Whether a field that an older schema does not declare, and refuses, says nothing."""
    return not value


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

    restore_failures: Count = Field(default=0, exclude_if=_nothing)
    """How often in a row the job could not be restored from that checkpoint."""

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
        default=[], max_length=MAX_WORKERS, exclude_if=_nothing
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

    def too_early(self, now: datetime) -> bool:
        """Whether the job must not be started again yet, or not be cut again."""
        return self.not_before is not None and now < self.not_before
