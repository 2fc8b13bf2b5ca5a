"""What is written down about a checkpoint: its object, and its status as the cut goes on."""

from datetime import UTC, datetime
from typing import Any

from ergosphere.api.agent import Failure
from ergosphere.api.checkpoint import (
    FAILED,
    READY,
    Checkpoint,
    CheckpointPhase,
    CheckpointReason,
    CheckpointStatus,
)
from ergosphere.api.meta import (
    API_VERSION,
    FINALIZER,
    LABEL_JOB,
    LABEL_JOB_UID,
    Condition,
    ConditionStatus,
    with_condition,
)
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_spec import CheckpointMode, DeletionPolicy
from ergosphere.api.training_job_status import CutPurpose
from ergosphere.workload.names import shelf, stem
from ergosphere.workload.pod import owner

from . import barrier
from .kube import Object
from .view import JobView


def new(view: JobView, name: str, reason: CheckpointReason) -> Object:
    """The object of a cut that the operator makes."""
    job = view.job
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": job.namespace,
        "labels": {LABEL_JOB: stem(job.name), LABEL_JOB_UID: job.uid},
        "finalizers": [FINALIZER],
    }
    metadata |= _owned(job)
    spec: dict[str, Any] = {"jobName": job.name, "reason": reason.value}
    if job.spec.checkpoint.ttl_seconds is not None:
        spec["ttlSeconds"] = job.spec.checkpoint.ttl_seconds
    return {"apiVersion": API_VERSION, "kind": "Checkpoint", "metadata": metadata, "spec": spec}


def held(job: TrainingJob, checkpoint: Checkpoint) -> Object:
    """A checkpoint that somebody else created, made ours: it is not to go before its data has.

    Applied before there is data, and only to the state that was observed.
    """
    metadata = checkpoint.metadata
    ours = {"name": metadata.name, "namespace": metadata.namespace, "finalizers": [FINALIZER]}
    version = {"resourceVersion": metadata.resource_version}
    return {"apiVersion": API_VERSION, "kind": "Checkpoint", "metadata": ours | version | _owned(job)}


def goes_as_told(job: TrainingJob, checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint goes with the job, or outlives it, as the job's policy says now."""
    owned = any(o.get("uid") == job.uid for o in checkpoint.metadata.owner_references)
    return owned == bool(_owned(job))


def owners(job: TrainingJob, checkpoint: Checkpoint) -> Object:
    """What to merge into a checkpoint that does not go as the job's policy says; other owners stay.

    No apply: that would leave the reference of an object that was created with it.
    """
    metadata = checkpoint.metadata
    others = [o for o in metadata.owner_references if o.get("uid") != job.uid]
    references = [*others, *_owned(job).get("ownerReferences", [])]
    return {"metadata": {"ownerReferences": references, "resourceVersion": metadata.resource_version}}


def _owned(job: TrainingJob) -> dict[str, Any]:
    """The reference that lets a checkpoint go with its job, if that is the job's policy."""
    if job.spec.checkpoint.deletion_policy is not DeletionPolicy.DELETE:
        return {}
    return {"ownerReferences": [owner(job) | {"controller": False, "blockOwnerDeletion": False}]}


def body(checkpoint: Checkpoint, status: CheckpointStatus) -> Object:
    """What to apply for a new status; refused when the checkpoint has changed since it was observed."""
    metadata = checkpoint.metadata
    return {
        "apiVersion": API_VERSION,
        "kind": "Checkpoint",
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "resourceVersion": metadata.resource_version,
        },
        "status": status.to_dict(),
    }


def noted(
    view: JobView, checkpoint: Checkpoint, verdict: barrier.Committed | barrier.Failed | None
) -> CheckpointStatus:
    """The status of a checkpoint whose cut has begun (None), or has ended with this verdict."""
    now = datetime.now(UTC)
    match verdict:
        case barrier.Committed():
            return _ready_status(view, checkpoint, verdict, now)
        case barrier.Failed(failure):
            return failed(checkpoint, failure)
        case None:
            return checkpoint.status.model_copy(update=_begun(view, checkpoint, now))


def asked(job: TrainingJob, checkpoint: Checkpoint) -> CheckpointStatus:
    """The status of a checkpoint that was asked of this job, and whose cut has not begun."""
    return checkpoint.status.model_copy(update={"phase": CheckpointPhase.PENDING, "job_uid": job.uid})


def failed(checkpoint: Checkpoint, failure: Failure) -> CheckpointStatus:
    """The status of a checkpoint that will never be complete."""
    now = datetime.now(UTC)
    status = _with(checkpoint, checkpoint.status, FAILED, True, failure.reason, failure.message, now)
    return status.model_copy(update={"phase": CheckpointPhase.FAILED, "completion_time": now})


def _begun(view: JobView, checkpoint: Checkpoint, now: datetime) -> dict[str, Any]:
    job = view.job
    return {
        "id": f"{shelf(job.namespace, job.name)}/{checkpoint.uid}",
        "phase": CheckpointPhase.CUTTING,
        "start_time": now,
        "job_uid": job.uid,
        "incarnation": job.status.incarnation,
        "ranks": len(job.status.placement),
        "images": job.status.images,
        "container": job.spec.main_container().name,
    }


def _ready_status(
    view: JobView, checkpoint: Checkpoint, verdict: barrier.Committed, now: datetime
) -> CheckpointStatus:
    cut = view.job.status.cut
    staying = cut is not None and cut.purpose is CutPurpose.KEEP
    cooperative = view.job.spec.checkpoint.mode is CheckpointMode.COOPERATIVE
    update = {
        "phase": CheckpointPhase.READY,
        "completion_time": now,
        "digest": verdict.digest,
        "bytes": verdict.bytes,
        "new_bytes": verdict.new_bytes,
        "parts_ms": dict(verdict.parts_ms),
        "stall_ms": verdict.parts_ms.get("stall") if staying else None,
        # What a program saved itself is not bound to a kind of node.
        "platform": None if cooperative else view.ranks[0].platform.model_dump(),
    }
    message = "the checkpoint is complete in the store"
    ready = _with(checkpoint, checkpoint.status, READY, True, "Stored", message, now)
    return CheckpointStatus.model_validate(ready.model_dump() | update)


def unusable(checkpoint: Checkpoint, failure: Failure) -> CheckpointStatus:
    """The status of a checkpoint that cannot be restored. It has failed: it is not to be made again."""
    reason, message = failure.reason, f"it cannot be restored: {failure.message}"
    now = datetime.now(UTC)
    unready = _with(checkpoint, checkpoint.status, READY, False, reason, message, now)
    status = _with(checkpoint, unready, FAILED, True, reason, message, now)
    return status.model_copy(update={"phase": CheckpointPhase.FAILED})


def going(checkpoint: Checkpoint) -> CheckpointStatus:
    """The status of a checkpoint whose data is about to be deleted: from here on nothing starts from it."""
    message = "its data is being deleted"
    now = datetime.now(UTC)
    unready = _with(checkpoint, checkpoint.status, READY, False, "Deleting", message, now)
    return unready.model_copy(update={"phase": CheckpointPhase.DELETING})


def _with(
    checkpoint: Checkpoint,
    status: CheckpointStatus,
    kind: str,
    value: bool,
    reason: str,
    message: str,
    now: datetime,
) -> CheckpointStatus:
    new = Condition(
        type=kind,
        status=ConditionStatus.TRUE if value else ConditionStatus.FALSE,
        observed_generation=checkpoint.metadata.generation,
        last_transition_time=now,
        reason=reason,
        message=message,
    )
    update = {
        "conditions": with_condition(status.conditions, new),
        "observed_generation": checkpoint.metadata.generation,
    }
    return status.model_copy(update=update)
