"""Whose doing it is that a worker's program failed: its own, or the loss of another worker.

A node that dies takes its workers' connections with it at once, and is known to be lost much later. So a
failure is held against the program only when every other worker was there after it, or when a loss would
have become known by then.
"""

from collections.abc import Set
from datetime import datetime, timedelta

from ergosphere.api.meta import is_true

from .conditions import PODS_CREATED
from .view import JobView
from .worker import WorkerPod

# By its defaults, Kubernetes takes 50 seconds without a sign of life for a node's loss, and looks every 5.
_LOSS_SECONDS = 60
# One kubelet may tell of a worker that failed before another one tells of the worker that was killed.
_TELLING_SECONDS = 5


def failed_first(view: JobView) -> WorkerPod | None:
    """The worker whose program was the first that ended with an error of its own."""
    failed = (p for p in view.workers.values() if _failed_by_itself(p))
    return min(failed, key=lambda p: (p.ended.timestamp() if p.ended else 0.0, p.rank), default=None)


def last_failed(view: JobView) -> tuple[WorkerPod, ...]:
    """The pods whose programs ended with an error of their own, in the last incarnation that has such."""
    failed = [p for p in view.pods if _failed_by_itself(p)]
    last = max((p.incarnation for p in failed), default=0)
    return tuple(p for p in failed if p.incarnation == last)


def _failed_by_itself(pod: WorkerPod) -> bool:
    infrastructure = pod.deleting or pod.left or pod.reason
    return bool(pod.exit and pod.exit.code != 0 and not infrastructure)


def bereaved(view: JobView, lost: Set[str]) -> bool:
    """Whether a worker was taken away. Those that talk to it fail then through no fault of their own."""
    taken = any(p.lost or p.deleting or p.reason for p in view.workers.values())
    return bool(lost or taken or missing(view))


def missing(view: JobView) -> list[int]:
    """The ranks whose pods existed and are gone."""
    status = view.job.status
    if not is_true(status.conditions, PODS_CREATED):
        return []
    return sorted({p.rank for p in status.placement} - view.workers.keys())


def unheard(view: JobView) -> tuple[WorkerPod, ...]:
    """The workers that have neither ended nor answered since a program was seen to have failed."""
    if failed_first(view) is None:
        return ()
    return tuple(p for p in view.workers.values() if p.exit is None and p.uid not in view.answered)


def in_doubt(view: JobView, now: datetime) -> bool:
    """Whether a program has failed, and it is too early to tell whose doing that is.

    A node whose clock is wrong is not waited for.
    """
    failed = failed_first(view)
    if failed is None or failed.ended is None or len(view.workers) == 1:
        return False
    patience = _LOSS_SECONDS if unheard(view) else _TELLING_SECONDS
    return timedelta() <= now - failed.ended < timedelta(seconds=patience)
