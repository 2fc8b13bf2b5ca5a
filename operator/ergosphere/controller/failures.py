"""What becomes of a job whose workers fail, are lost, or cannot start where they were placed."""

import zlib
from datetime import timedelta

from ergosphere.api.meta import condition
from ergosphere.api.training_job_status import FAILED, MOST_UNFIT

from . import beginning, blame, cutting, settling, starting
from .conditions import FAILED_CREATE, PODS_CREATED, WORKER_SILENT, WORKER_STUCK
from .ending import done
from .happening import Happening
from .moment import Moment, Next, end, unplaced
from .worker import WorkerPod

_FIRST_BACKOFF_SECONDS = 10
_LONGEST_BACKOFF_SECONDS = 360
# For so long a job's pods may be refused, and for so long it then leaves its GPUs to others.
_REFUSED_SECONDS = 60
# A large image takes minutes to be pulled, and somebody may be about to mend what is wrong.
_STALLED_SECONDS = 600


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
    ended = f"was ended by its kubelet: {pod.fault}" if pod.fault else f"ended with exit code {pod.exit.code}"
    how = f"rank {pod.rank} on {pod.node} {ended}"
    if failures > job.spec.backoff_limit:
        message = f"{how}; it failed {failures} times, and spec.backoffLimit is {job.spec.backoff_limit}"
        over = end(moment, FAILED, "BackoffLimitExceeded", message)
        return Next(over.status.model_copy(update={"failures": failures}), over.happenings)
    seconds = _backoff(failures)
    return unplaced(
        moment,
        Happening("WorkerFailed", f"{how}; the job goes on in {seconds} s", warning=True),
        failures=failures,
        not_before=moment.now + timedelta(seconds=seconds),
        lost_seconds=cutting.lost_seconds(moment.view.job.status, moment.now),
    )


def _backoff(times: int) -> int:
    """How many seconds to wait after so many failures in a row."""
    return min(_FIRST_BACKOFF_SECONDS * (1 << min(times - 1, 16)), _LONGEST_BACKOFF_SECONDS)


def worker_lost(moment: Moment) -> Next | None:
    """A pod is gone or was ended from outside: the gang goes on from its last checkpoint, uncounted."""
    view = moment.view
    if not view.job.status.placement:
        return None
    missing = blame.missing(view)
    ended = next((p for rank, p in view.workers.items() if p.over and not done(view, rank)), None)
    if moment.lost:
        how = f"{', '.join(sorted(moment.lost))} is lost"
    elif missing:
        how = f"the pod of rank {missing[0]} is gone"
    elif ended and not settling.is_leaving(view):
        how = f"rank {ended.rank} on {ended.node} was ended: {_why_ended(ended)}"
    else:
        return None
    message = f"{how}; the job goes on from its last checkpoint"
    return unplaced(
        moment,
        Happening("WorkerLost", message, warning=True),
        lost_seconds=cutting.lost_seconds(moment.view.job.status, moment.now),
        # A cut that failed before has nothing to do with when the job may start again.
        not_before=None,
    )


def refused(moment: Moment) -> Next | None:
    """The API server has refused some of the job's pods for a while: others may have its GPUs.

    No program of a gang begins before all of them are there. It is tried again ever later, and not at one
    time with others that were refused for the same quota, lest each got a part of it once more.
    """
    status = moment.view.job.status
    why = condition(status.conditions, PODS_CREATED)
    if not status.placement or why is None or why.reason != FAILED_CREATE:
        return None
    if moment.now < why.last_transition_time + timedelta(seconds=_REFUSED_SECONDS):
        return None
    return _given_back(moment, FAILED_CREATE, why.message)


def stalled(moment: Moment) -> Next | None:
    """A gang was placed a while ago and has not begun, for one of its workers cannot: as with `refused`."""
    view, status, now = moment.view, moment.view.job.status, moment.now
    if not status.placement or status.ran_incarnation == status.incarnation or status.placed_time is None:
        return None
    if now < status.placed_time + timedelta(seconds=_STALLED_SECONDS):
        return None
    if why := beginning.stuck(view) or beginning.unbegun(view, now, _STALLED_SECONDS):
        return _given_back(moment, WORKER_STUCK, why)
    why = beginning.unheard(view, now, _STALLED_SECONDS)
    return _given_back(moment, WORKER_SILENT, why) if why else None


def _given_back(moment: Moment, reason: str, why: str) -> Next:
    """The job leaves its GPUs to others, and is tried again ever later."""
    view, status = moment.view, moment.view.job.status
    seconds = max(_REFUSED_SECONDS, _backoff(max(1, status.incarnation - status.ran_incarnation)))
    seconds += zlib.crc32(f"{view.job.uid}/{status.incarnation}".encode()) % seconds
    message = f"{why}; it gives its GPUs back, and is tried again in {seconds} s"
    told = Happening(reason, message, warning=True)
    return unplaced(moment, told, not_before=moment.now + timedelta(seconds=seconds))


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
    return unplaced(
        moment,
        Happening("NodeUnfit", message, warning=True),
        unfit_nodes=list(dict.fromkeys(nodes))[-MOST_UNFIT:],
        placed_time=moment.now,
    )


def unrestorable(moment: Moment) -> Next | None:
    """The agent could not restore: ever later it is tried again, from another one once this one is marked."""
    view = moment.view
    failure = starting.failure(view)
    if failure is None or starting.unusable(view):
        return None
    times = view.job.status.restore_failures + 1
    seconds = _backoff(times)
    message = f"{failure.message}; the job is tried again in {seconds} s"
    return unplaced(
        moment,
        Happening(failure.reason, message, warning=True),
        restore_failures=times,
        not_before=moment.now + timedelta(seconds=seconds),
    )
