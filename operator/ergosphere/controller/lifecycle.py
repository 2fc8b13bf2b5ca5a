"""What becomes of a job: an ordered chain of rules over what is observed, the first that applies decides.

Each rule gives the status to write down next. Nothing is done before it is written down, so an operator
that is killed between any two writes goes on from what stands there.
"""

from datetime import timedelta

from ergosphere.api.meta import Condition, condition, is_true
from ergosphere.api.training_job_status import COMPLETE, FAILED, RUNNING, TrainingJobStatus

from . import cutting, failures, settling, starting
from .bookkeeping import booked
from .conditions import HELD_UP, MIGRATED, MOVABLE, PLACED, PODS_CREATED, derived, set_condition
from .ending import done
from .happening import Happening
from .moment import Moment, Next, Rule, end
from .view import JobView


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
    return [rank for rank in sorted(view.workers) if done(view, rank)] if same else []


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
    if now is None or now.reason not in HELD_UP or (known and known.reason == now.reason):
        return {}
    return {now.reason: now.message}


def deadline(moment: Moment) -> Next | None:
    """`activeDeadlineSeconds` has passed since the job was started."""
    job = moment.view.job
    seconds, start = job.spec.active_deadline_seconds, job.status.start_time
    if seconds is None or start is None or moment.now < start + timedelta(seconds=seconds):
        return None
    return end(moment, FAILED, "DeadlineExceeded", f"the job ran longer than {seconds} seconds")


def left(moment: Moment) -> Next | None:
    """Every rank has ended at the cut: go on at the target, or wait."""
    if not settling.has_left(moment.view):
        return None
    status = settling.after_leaving(moment.view, moment.now)
    cut = moment.view.job.status.cut
    happenings = [Happening("Left", f"the job left its nodes with checkpoint {cut.name if cut else ''}")]
    if cut and cut.target:
        status = starting.placed(moment.view, status, tuple(p.node for p in cut.target), moment.now)
        happenings.append(starting.announcement(status))
    return Next(status, tuple(happenings))


def cut_ended(moment: Moment) -> Next | None:
    """The cut under way has failed, or the job runs on after it."""
    settled = settling.settled(moment.view, moment.now)
    return Next(*settled) if settled else None


def completed(moment: Moment) -> Next | None:
    """Every rank's program has ended with 0, and by itself: many end so too when they are told to."""
    view = moment.view
    over = [rank for rank in view.workers if done(view, rank)]
    if not over or len(over) < len(view.job.status.placement):
        return None
    return end(moment, COMPLETE, "Completed", "every worker's program ended with exit code 0")


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
    failures.program_failed,
    failures.unfit_node,
    failures.worker_lost,
    failures.refused,
    failures.stalled,
    failures.unrestorable,
    pods_created,
    arrived,
    begin_cut,
    place,
)
