"""What happened to a job: from its Events, which the cluster forgets in time, and its Checkpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ergosphere.api.checkpoint import FAILED, Checkpoint
from ergosphere.api.meta import condition
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli.units import size
from ergosphere.controller.kube import Object

# Events with which a job goes on after a cut.
_BACK = ("Resumed",)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened; `seconds` is how long it took, where that is known."""

    time: datetime
    what: str
    why: str
    seconds: float | None = None
    warning: bool = False


def timeline(job: TrainingJob, checkpoints: Iterable[Checkpoint], events: Iterable[Object]) -> list[Entry]:
    """The entries, oldest first. `checkpoints` and `events` may be of other jobs too."""
    cuts = [c for c in checkpoints if c.status.job_uid == job.uid and c.status.start_time]
    about = [e for e in events if e["involvedObject"].get("uid") == job.uid]
    entries = [_said(event, cuts) for event in sorted(about, key=_order)]
    entries += [_cut(checkpoint) for checkpoint in cuts if checkpoint.status.completion_time]
    # An Event knows the second alone: what happened within one stays in the order in which it was written.
    return sorted(entries, key=lambda entry: entry.time.replace(microsecond=0))


def _order(event: Object) -> int:
    return int(event["metadata"]["resourceVersion"])


def _said(event: Object, cuts: Sequence[Checkpoint]) -> Entry:
    time = datetime.fromisoformat(event["lastTimestamp"])
    count = event.get("count") or 1
    often = f" ({count} times since {event['firstTimestamp']})" if count > 1 else ""
    seconds = _away(time, cuts) if event["reason"] in _BACK else None
    return Entry(time, event["reason"], f"{event['message']}{often}", seconds, event["type"] == "Warning")


def _away(back: datetime, cuts: Sequence[Checkpoint]) -> float | None:
    """How long the job had been off, to the second: since the last cut began that it left with."""
    left = [
        c.status.start_time for c in cuts if c.status.start_time and c.ready and c.status.stall_ms is None
    ]
    began = max((time for time in left if time.replace(microsecond=0) <= back), default=None)
    return max(0.0, (back - began).total_seconds()) if began else None


def _cut(checkpoint: Checkpoint) -> Entry:
    status = checkpoint.status
    assert status.start_time
    assert status.completion_time
    seconds = (status.completion_time - status.start_time).total_seconds()
    named = f"{checkpoint.name} ({checkpoint.spec.reason})"
    if checkpoint.failed:
        why = condition(status.conditions, FAILED)
        text = f"{named}: {why.reason}: {why.message}" if why else named
        return Entry(status.completion_time, "NotSaved", text, seconds, warning=True)
    stall = f", stood still {status.stall_ms:.0f} ms" if status.stall_ms is not None else ""
    text = f"{named}: {size(status.bytes)}, {size(status.new_bytes)} new{stall}"
    return Entry(status.completion_time, "Saved", text, seconds)
