"""What becomes of a job whose workers fail, are lost, or cannot start where they were placed."""

from datetime import timedelta

from ergosphere.api.agent import Phase
from ergosphere.api.training_job_status import FAILED, MOST_UNFIT

from . import blame, cutting, settling, starting
from .ending import done
from .happening import Happening
from .moment import Moment, Next, end, unplaced
from .worker import WorkerPod

_FIRST_BACKOFF_SECONDS = 10
_LONGEST_BACKOFF_SECONDS = 360


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
    seconds = min(_FIRST_BACKOFF_SECONDS * 2 ** (failures - 1), _LONGEST_BACKOFF_SECONDS)
    return unplaced(
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
    """The agent could not restore: the checkpoint is marked by then, so the one before is next."""
    view = moment.view
    failure = next((r.failure for r in view.ranks.values() if r.phase is Phase.FAILED and r.failure), None)
    if failure is None or starting.corrupt(view):
        return None
    seconds = _FIRST_BACKOFF_SECONDS
    message = f"{failure.message}; the job is tried again in {seconds} s"
    return unplaced(
        moment,
        Happening(failure.reason, message, warning=True),
        not_before=moment.now + timedelta(seconds=seconds),
    )
