"""What becomes of a job: an ordered chain of rules over what is observed, the first that applies decides.

Each rule gives the status to write down next. Nothing is done before it is written down, so an operator
that is killed between any two writes goes on from what stands there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ergosphere.api.agent import Phase
from ergosphere.api.meta import Condition, condition, is_true
from ergosphere.api.training_job import COMPLETE, FAILED, MOST_UNFIT, RUNNING, TrainingJobStatus
from ergosphere.scheduling.model import Action

from . import blame, cutting, starting
from .bookkeeping import booked
from .conditions import MIGRATED, MOVABLE, PLACED, PODS_CREATED, WORKER_STUCK, Waiting, derived, set_condition
from .ending import done
from .happening import Happening
from .view import JobView, WorkerPod

_FIRST_BACKOFF_SECONDS = 10
_LONGEST_BACKOFF_SECONDS = 360


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule may look at: the job, the planner's decision, why it waits, the time, its lost nodes.

    `anchored` is why it cannot leave a node that is to be emptied. `admitted` says that the tier's promise
    holds from now on, `fraction` is the share of GPU time received.
    """

    view: JobView
    decision: Action | None
    waiting: Waiting | None
    now: datetime
    lost: frozenset[str] = frozenset()
    anchored: Waiting | None = None
    admitted: bool = False
    fraction: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """The status to write, and what to tell the world once it is written."""

    status: TrainingJobStatus
    happenings: tuple[Happening, ...] = ()


Rule = Callable[[Moment], Next | None]


def advance(moment: Moment) -> Next:
    """The next status of a job that is neither deleted nor finished; the same when nothing has changed."""
    found = next((result for rule in RULES if (result := rule(moment))), Next(moment.view.job.status))
    status = derived(moment.view, found.status, moment.waiting, moment.now)
    status = status.model_copy(update={"finished_ranks": _finished_ranks(moment.view, status)})
    status = _accounted(moment, booked(moment.view.job, status, moment.now))
    status = _anchored(moment, status)
    return Next(status, (*found.happenings, *_news(moment, status)))


def _finished_ranks(view: JobView, status: TrainingJobStatus) -> list[int]:
    """The ranks that have finished: their pods may be deleted, by a drain for one, while others run."""
    same = status.placement and status.incarnation == view.job.status.incarnation
    return [rank for rank, pod in sorted(view.workers.items()) if done(pod)] if same else []


def _anchored(moment: Moment, status: TrainingJobStatus) -> TrainingJobStatus:
    """The status with the condition that says why the job does not leave its nodes, where something does."""
    why = moment.anchored
    if why and status.placement:
        return set_condition(moment.view.job, status, MOVABLE, False, why.reason, why.message, moment.now)
    return status.model_copy(update={"conditions": [c for c in status.conditions if c.type != MOVABLE]})


def _accounted(moment: Moment, status: TrainingJobStatus) -> TrainingJobStatus:
    admitted = status.admitted_time or (moment.now if moment.admitted else None)
    if moment.view.job.spec.suspend:
        admitted = None
    return status.model_copy(update={"admitted_time": admitted, "gpu_fraction": moment.fraction})


def _news(moment: Moment, status: TrainingJobStatus) -> tuple[Happening, ...]:
    """Word of new reasons to wait or to stay. The same reason with other numbers is not news."""
    before = moment.view.job.status.conditions
    kinds = ((PLACED, moment.waiting), (MIGRATED, moment.waiting), (MOVABLE, moment.anchored))
    new = {
        why.reason: why.message
        for kind, why in kinds
        if why
        and (now := condition(status.conditions, kind))
        and now.reason == why.reason
        and not ((known := condition(before, kind)) and known.reason == now.reason)
    }
    new |= _stuck(before, status.conditions)
    return tuple(Happening(reason, message, warning=True) for reason, message in new.items())


def _stuck(before: list[Condition], after: list[Condition]) -> dict[str, str]:
    """Why a worker does not start, if that is not known yet."""
    now, known = condition(after, RUNNING), condition(before, RUNNING)
    if now is None or now.reason != WORKER_STUCK or (known and known.reason == now.reason):
        return {}
    return {now.reason: now.message}


def _change(moment: Moment, *happenings: Happening, **fields: Any) -> Next:
    return Next(moment.view.job.status.model_copy(update=fields), happenings)


def _unplaced(moment: Moment, *happenings: Happening, **fields: Any) -> Next:
    return _change(moment, *happenings, placement=[], cut=None, **fields)


def _end(moment: Moment, kind: str, reason: str, message: str) -> Next:
    view = moment.view
    status = view.job.status.model_copy(update={"placement": [], "cut": None, "completion_time": moment.now})
    status = set_condition(view.job, status, kind, True, reason, message, moment.now)
    return Next(status, (Happening(reason, message, warning=kind == FAILED),))


def deadline(moment: Moment) -> Next | None:
    """`activeDeadlineSeconds` has passed since the job was started."""
    job = moment.view.job
    seconds, start = job.spec.active_deadline_seconds, job.status.start_time
    if seconds is None or start is None or moment.now < start + timedelta(seconds=seconds):
        return None
    return _end(moment, FAILED, "DeadlineExceeded", f"the job ran longer than {seconds} seconds")


def left(moment: Moment) -> Next | None:
    """Every rank has ended at the cut: go on at the target, or wait."""
    if not cutting.has_left(moment.view):
        return None
    status = cutting.after_leaving(moment.view, moment.now)
    cut = moment.view.job.status.cut
    happenings = [Happening("Left", f"the job left its nodes with checkpoint {cut.name if cut else ''}")]
    if cut and cut.target:
        status = starting.placed(moment.view, status, tuple(p.node for p in cut.target), moment.now)
        happenings.append(starting.announcement(status))
    return Next(status, tuple(happenings))


def cut_ended(moment: Moment) -> Next | None:
    """The cut under way has failed, or the job runs on after it."""
    settled = cutting.settled(moment.view, moment.now)
    return Next(*settled) if settled else None


def completed(moment: Moment) -> Next | None:
    """Every rank's program has ended with 0, and by itself: many end so too when they are told to."""
    view = moment.view
    over = [p for p in view.workers.values() if done(p)]
    if not over or len(over) < len(view.job.status.placement):
        return None
    return _end(moment, COMPLETE, "Completed", "every worker's program ended with exit code 0")


def program_failed(moment: Moment) -> Next | None:
    """A rank's program ended with an error of its own: count it, and go on from the last checkpoint.

    While another worker may have been lost before that, nothing is decided.
    """
    pod = blame.failed_first(moment.view)
    if pod is None or pod.exit is None or blame.bereaved(moment.view, moment.lost):
        return None
    job = moment.view.job
    if blame.in_doubt(moment.view, moment.now):
        return Next(job.status)
    failures = job.status.failures + 1
    how = f"rank {pod.rank} on {pod.node} ended with exit code {pod.exit.code}"
    if failures > job.spec.backoff_limit:
        message = f"{how}; it failed {failures} times, and spec.backoffLimit is {job.spec.backoff_limit}"
        ended = _end(moment, FAILED, "BackoffLimitExceeded", message)
        return Next(ended.status.model_copy(update={"failures": failures}), ended.happenings)
    seconds = min(_FIRST_BACKOFF_SECONDS * 2 ** (failures - 1), _LONGEST_BACKOFF_SECONDS)
    return _unplaced(
        moment,
        Happening("WorkerFailed", f"{how}; the job goes on in {seconds} s", warning=True),
        failures=failures,
        not_before=moment.now + timedelta(seconds=seconds),
        lost_seconds=cutting.lost_seconds(moment.view.job.status, moment.now),
    )


def worker_lost(moment: Moment) -> Next | None:
    """A pod is gone or was ended from outside: the gang goes on from its last checkpoint, uncounted."""
    view = moment.view
    if not view.job.status.placement:
        return None
    missing = blame.missing(view)
    ended = next((p for p in view.workers.values() if p.over and not done(p)), None)
    if moment.lost:
        how = f"{', '.join(sorted(moment.lost))} is lost"
    elif missing:
        how = f"the pod of rank {missing[0]} is gone"
    elif ended and not cutting.is_leaving(view):
        how = f"rank {ended.rank} on {ended.node} was ended: {_why_ended(ended)}"
    else:
        return None
    message = f"{how}; the job goes on from its last checkpoint"
    return _unplaced(
        moment,
        Happening("WorkerLost", message, warning=True),
        lost_seconds=cutting.lost_seconds(moment.view.job.status, moment.now),
        # A cut that failed before has nothing to do with when the job may start again.
        not_before=None,
    )


def _why_ended(pod: WorkerPod) -> str:
    if pod.reason:
        return pod.reason
    if pod.left:
        return "it had saved for a cut that failed"
    if pod.exit and not pod.deleting:
        return f"its program ended with exit code {pod.exit.code} when another worker was taken away"
    return "its pod was deleted"


def unfit_node(moment: Moment) -> Next | None:
    """A node cannot take its worker: forget the placement and leave that node out of the next one."""
    found = starting.unfit(moment.view, moment.now)
    if found is None:
        return None
    node, why = found
    message = f"{node} cannot take the job: {why}"
    nodes = [*moment.view.job.status.unfit_nodes, *([node] if node else [])]
    return _unplaced(
        moment,
        Happening("NodeUnfit", message, warning=True),
        unfit_nodes=list(dict.fromkeys(nodes))[-MOST_UNFIT:],
        placed_time=moment.now,
    )


def unrestorable(moment: Moment) -> Next | None:
    """The agent could not restore: the checkpoint is marked by then, so the one before is next."""
    view = moment.view
    failure = next((r.failure for r in view.ranks.values() if r.phase is Phase.FAILED and r.failure), None)
    if failure is None or starting.corrupt(view):
        return None
    seconds = _FIRST_BACKOFF_SECONDS
    message = f"{failure.message}; the job is tried again in {seconds} s"
    return _unplaced(
        moment,
        Happening(failure.reason, message, warning=True),
        not_before=moment.now + timedelta(seconds=seconds),
    )


def pods_created(moment: Moment) -> Next | None:
    """All pods of the incarnation exist: from here on a missing one is a lost one."""
    view, status = moment.view, moment.view.job.status
    complete = bool(status.placement) and len(view.workers) == len(status.placement)
    known = is_true(status.conditions, PODS_CREATED)
    if complete == known:
        return None
    reason = "PodsCreated" if complete else "NotCreated"
    return Next(set_condition(view.job, status, PODS_CREATED, complete, reason, "", moment.now))


def arrived(moment: Moment) -> Next | None:
    """Every rank runs: note how long the move took, pin the images, forget unfit nodes."""
    status = starting.arrival(moment.view, moment.now)
    if status is None:
        return None
    word = "Resumed" if status.restore_from else "Started"
    return Next(status, (Happening(word, f"every worker runs on {status.nodes}"),))


def begin_cut(moment: Moment) -> Next | None:
    """Somebody wants the job to be cut: its owner, the planner, an eviction or the interval."""
    begun = cutting.begin(moment.view, moment.decision, moment.now)
    return Next(*begun) if begun else None


def place(moment: Moment) -> Next | None:
    """The planner has found room for the job."""
    begun = starting.start(moment.view, moment.decision, moment.now)
    return Next(*begun) if begun else None


RULES: tuple[Rule, ...] = (
    deadline,
    left,
    cut_ended,
    completed,
    program_failed,
    unfit_node,
    worker_lost,
    unrestorable,
    pods_created,
    arrived,
    begin_cut,
    place,
)
