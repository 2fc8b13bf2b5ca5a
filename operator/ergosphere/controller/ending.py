"""Gangs some of whose ranks have finished while others run on.

They cannot be cut: a checkpoint is of all ranks, and nothing is left of those that have ended.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ergosphere.api.agent import Phase, Report

from .view import JobView
from .worker import WorkerPod

# A gang mostly ends together. To leave without a cut meanwhile would undo work that is about to be done.
_TOGETHER_SECONDS = 30


def finished(view: JobView) -> tuple[int, ...]:
    """The ranks whose programs have ended with 0 by themselves: many end so too when they are told to."""
    return tuple(rank for rank in sorted(view.workers) if done(view, rank) or _said_done(view, rank))


def done(view: JobView, rank: int) -> bool:
    """Whether the rank's program has ended with 0 by itself, by its kubelet's word."""
    pod = view.workers[rank]
    return bool(pod.exit and pod.exit.code == 0) and not _told_to_end(pod, view.ranks.get(rank))


def _told_to_end(pod: WorkerPod, report: Report | None) -> bool:
    """Whether the program was told to end: for a cut, or as its pod is deleted, evicted or shut down."""
    return bool(pod.left or pod.deleting or pod.reason or (report and report.terminating))


def _said_done(view: JobView, rank: int) -> bool:
    pod, report = view.workers[rank], view.ranks.get(rank)
    if pod.exit or report is None or report.exit is None or report.phase is not Phase.EXITED:
        return False
    return report.exit.code == 0 and not _told_to_end(pod, report)


def arrived(view: JobView) -> bool:
    """Whether every rank's program runs, or has come to its end already."""
    ranks = {p.rank for p in view.job.status.placement}
    running = {rank for rank, report in view.ranks.items() if report.phase is Phase.RUNNING}
    return bool(ranks) and ranks <= running.union(finished(view))


def ends_together(view: JobView, now: datetime) -> bool:
    """Whether the first rank finished a moment ago, as far as is known: its gang is likely to do so too."""
    pods = (view.workers[rank] for rank in finished(view))
    ends = [p.ended or p.created for p in pods if p.exit]
    first = min((end for end in ends if end), default=now)
    return timedelta() <= now - first < timedelta(seconds=_TOGETHER_SECONDS)


def silent(view: JobView) -> tuple[int, ...]:
    """The ranks that have finished and whose agents are gone: a cut would wait for their word for ever."""
    return tuple(rank for rank in finished(view) if view.workers[rank].over and rank not in view.ranks)


def who_ended(ranks: Sequence[int]) -> str:
    """A clause about ranks that have finished."""
    others = len(ranks) - 1
    return f"rank {ranks[0]} and {others} more have ended" if others else f"rank {ranks[0]} has ended"
