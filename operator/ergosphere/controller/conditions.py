"""A job's conditions, derived from the rest of its status and from what is observed; the phase, from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ergosphere.api.meta import Condition, ConditionStatus, condition, is_true, with_condition
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import (
    COMPLETE,
    FAILED,
    RUNNING,
    SUSPENDED,
    CutPurpose,
    JobPhase,
    TrainingJobStatus,
)

from . import beginning
from .ending import arrived, finished, who_ended
from .view import JobView

PLACED = "Placed"
PODS_CREATED = "PodsCreated"
MIGRATED = "Migrated"
MOVABLE = "Movable"

# As the schema of a condition has it: what is longer could never be written.
_LONGEST_MESSAGE = 32768
# More of a kind are counted, and the first of them named.
_NAMED = 16
FAILED_CREATE = "FailedCreate"
WORKER_STUCK = "WorkerStuck"
WORKER_SILENT = "WorkerSilent"
# Why a job that has its nodes does not begin, of which its owner is told.
HELD_UP = (WORKER_STUCK, WORKER_SILENT)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job is not placed: a CamelCase reason and a sentence."""

    reason: str
    message: str


def set_condition(
    job: TrainingJob,
    status: TrainingJobStatus,
    kind: str,
    value: bool,
    reason: str,
    message: str,
    now: datetime,
) -> TrainingJobStatus:
    """The status with one condition set."""
    new = Condition(
        type=kind,
        status=ConditionStatus.TRUE if value else ConditionStatus.FALSE,
        observed_generation=job.metadata.generation,
        last_transition_time=now,
        reason=reason,
        message=message[:_LONGEST_MESSAGE],
    )
    return status.model_copy(update={"conditions": with_condition(status.conditions, new)})


def uncreated(job: TrainingJob, status: TrainingJobStatus, why: str, now: datetime) -> TrainingJobStatus:
    """The status of a job whose pods the API server refuses."""
    return set_condition(job, status, PODS_CREATED, False, FAILED_CREATE, why, now)


def listed(names: Sequence[str], kind: str, by: str = ", ") -> str:
    """The names; of very many, such as the nodes of a large gang, how many there are and the first."""
    if len(names) <= _NAMED:
        return by.join(names)
    return f"{len(names)} {kind}: {by.join(names[:_NAMED])}{by}..."


def derived(
    view: JobView, status: TrainingJobStatus, waiting: Waiting | None, now: datetime
) -> TrainingJobStatus:
    """The status with the conditions, the printed fields and the phase that follow from it."""
    job = view.job
    running = bool(status.placement) and _runs(view, status)
    status = _without_refusal(job, status, now)
    status = set_condition(job, status, PLACED, bool(status.placement), *_placed(status, waiting), now)
    status = set_condition(job, status, RUNNING, running, *_running(view, status, running, now), now)
    suspended = job.spec.suspend and not status.placement and not _ended(status)
    reason = "Suspended" if suspended else "NotSuspended"
    status = set_condition(job, status, SUSPENDED, suspended, reason, "", now)
    status = _with_migration(job, status, waiting, now)
    return status.model_copy(
        update={
            "observed_generation": job.metadata.generation,
            "phase": _phase(job, status, running),
            "nodes": listed(_nodes(status), "nodes", by=","),
            "gpus": job.spec.gpus_per_worker() * len(status.placement),
            # As in batch/v1 Job: a suspended job's deadline begins anew when it is resumed.
            "start_time": None if suspended else status.start_time,
        }
    )


def _runs(view: JobView, status: TrainingJobStatus) -> bool:
    """Whether every rank runs. A cut leaves the condition as it is: it ends with the job running, or gone."""
    if status.incarnation != view.job.status.incarnation:
        return False
    return is_true(status.conditions, RUNNING) if status.cut else arrived(view)


def _nodes(status: TrainingJobStatus) -> list[str]:
    return sorted({p.node for p in status.placement})


def _without_refusal(job: TrainingJob, status: TrainingJobStatus, now: datetime) -> TrainingJobStatus:
    """The status of a job that asks for no pods, nor is to again soon, does not say that they are refused."""
    created = condition(status.conditions, PODS_CREATED)
    backs_off = status.too_early(now) and not job.spec.suspend
    if status.placement or backs_off or created is None or created.reason != FAILED_CREATE:
        return status
    return set_condition(job, status, PODS_CREATED, False, "NotCreated", "", now)


def _placed(status: TrainingJobStatus, waiting: Waiting | None) -> tuple[str, str]:
    if status.placement:
        return "Placed", f"on {listed(_nodes(status), 'nodes')}"
    if _ended(status):
        return "Finished", ""
    return (waiting.reason, waiting.message) if waiting else ("Waiting", "waiting for the next plan")


def _running(view: JobView, status: TrainingJobStatus, running: bool, now: datetime) -> tuple[str, str]:
    if running:
        return _going(view)
    if _ended(status):
        return "Finished", ""
    if status.cut:
        return "Cut", f"being cut for checkpoint {status.cut.name}"
    return _starting(view, status, now) if status.placement else ("NotPlaced", "")


def _going(view: JobView) -> tuple[str, str]:
    done = finished(view)
    if not done or len(done) == len(view.job.status.placement):
        return "AllRanksRun", ""
    return "SomeRanksEnded", f"{who_ended(done)}: the job cannot be cut while others run"


def _starting(view: JobView, status: TrainingJobStatus, now: datetime) -> tuple[str, str]:
    """Why a job that has its nodes does not run yet: a kubelet or an agent's silence says what keeps it."""
    if status.incarnation != view.job.status.incarnation:
        return "Starting", ""
    if why := beginning.stuck(view):
        return WORKER_STUCK, why
    why = beginning.silent(view, now)
    return (WORKER_SILENT, why) if why else ("Starting", "")


def _with_migration(
    job: TrainingJob, status: TrainingJobStatus, waiting: Waiting | None, now: datetime
) -> TrainingJobStatus:
    """The status with what became of the owner's wish that the job move; without a wish, with nothing."""
    wish = job.spec.migration
    if wish is None:
        others = [c for c in status.conditions if c.type != MIGRATED]
        return status.model_copy(update={"conditions": others})
    done = status.incarnation > wish.incarnation
    if done:
        reason, message = "Moved", f"incarnation {wish.incarnation} has left its nodes"
    elif status.incarnation < wish.incarnation:
        reason, message = "NotBegun", f"there is no incarnation {wish.incarnation} yet"
    elif waiting and status.placement:
        reason, message = waiting.reason, waiting.message
    else:
        reason, message = "Requested", "waiting for the next plan"
    return set_condition(job, status, MIGRATED, done, reason, message, now)


def _ended(status: TrainingJobStatus) -> bool:
    return any(c.type in (COMPLETE, FAILED) and c.status is ConditionStatus.TRUE for c in status.conditions)


def _phase(job: TrainingJob, status: TrainingJobStatus, running: bool) -> JobPhase:
    true = {c.type for c in status.conditions if c.status is ConditionStatus.TRUE}
    if job.deleted:
        return JobPhase.DELETING
    if COMPLETE in true:
        return JobPhase.SUCCEEDED
    if FAILED in true:
        return JobPhase.FAILED
    if SUSPENDED in true:
        return JobPhase.SUSPENDED
    if status.cut:
        return _cutting(job, status)
    if running:
        return JobPhase.RUNNING
    return JobPhase.STARTING if status.placement else JobPhase.PENDING


def _cutting(job: TrainingJob, status: TrainingJobStatus) -> JobPhase:
    if status.cut and status.cut.purpose is CutPurpose.KEEP:
        return JobPhase.CHECKPOINTING
    return JobPhase.SUSPENDING if job.spec.suspend else JobPhase.MIGRATING
