"""What a rule of a job's life looks at, and what it decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ergosphere.api.training_job_status import FAILED, TrainingJobStatus
from ergosphere.scheduling.model import Action

from .conditions import Waiting, set_condition
from .happening import Happening
from .view import JobView


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


def unplaced(moment: Moment, *happenings: Happening, **fields: Any) -> Next:
    """The job gives its nodes up, and any cut with them."""
    status = moment.view.job.status
    return Next(status.model_copy(update={"placement": [], "cut": None, **fields}), happenings)


def end(moment: Moment, kind: str, reason: str, message: str) -> Next:
    """The job is over: `kind` is the condition that says how."""
    view = moment.view
    status = view.job.status.model_copy(update={"placement": [], "cut": None, "completion_time": moment.now})
    status = set_condition(view.job, status, kind, True, reason, message, moment.now)
    return Next(status, (Happening(reason, message, warning=kind == FAILED),))
