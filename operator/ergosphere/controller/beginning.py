"""What keeps workers from beginning, as a sentence for their job's owner; "" where nothing is known to."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ergosphere.api.agent import AGENT_PORT

from .view import JobView
from .worker import WorkerPod

# An agent that has just begun does not listen yet, and is not asked again at once.
_UP_SECONDS = 60.0


def stuck(view: JobView) -> str:
    """A container does not start, by its kubelet's word."""
    pod = next((p for p in view.workers.values() if p.stuck), None)
    return f"{_who(pod)}: {pod.stuck}" if pod else ""


def unbegun(view: JobView, now: datetime, seconds: float) -> str:
    """A pod has been there for so long, and its agent, whose container is the first, has not begun."""
    since = now - timedelta(seconds=seconds)
    waiting = (p for p in view.workers.values() if p.up is None and p.phase == "Pending")
    unheard = (p for p in waiting if p.uid not in view.reports)
    pod = next((p for p in unheard if p.created and p.created <= since), None)
    return f"{_who(pod)}: pod {pod.name} does not begin; look at its Events" if pod else ""


def silent(view: JobView, now: datetime) -> str:
    """An agent does not answer the operator."""
    return _silent(view, next(_unreached(view, now, _UP_SECONDS), None))


def unheard(view: JobView, now: datetime, seconds: float) -> str:
    """For so long, an agent has never answered the operator: no program of its gang has begun."""
    pods = (p for p in _unreached(view, now, seconds) if p.uid not in view.reports)
    return _silent(view, next(pods, None))


def _unreached(view: JobView, now: datetime, seconds: float) -> Iterator[WorkerPod]:
    """The workers whose agents have been up, and were asked in vain, both for so long."""
    since = now - timedelta(seconds=seconds)
    pods = (p for _, p in sorted(view.workers.items()) if view.unreached.get(p.uid, 0.0) >= seconds)
    return (p for p in pods if p.up and p.up <= since)


def _silent(view: JobView, pod: WorkerPod | None) -> str:
    if pod is None:
        return ""
    way = f"let the operator's namespace reach port {AGENT_PORT} in {view.job.namespace}"
    look = f"look at the pod, and whether network policies {way}"
    return f"{_who(pod)}: the agent of pod {pod.name} does not answer the operator; {look}"


def _who(pod: WorkerPod) -> str:
    return f"rank {pod.rank} on {pod.node}"
