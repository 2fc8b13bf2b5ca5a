"""Workers whose agents the operator does not reach, as when a network policy keeps it out."""

from datetime import datetime, timedelta

from ergosphere.api.agent import AGENT_PORT

from .view import JobView
from .worker import WorkerPod

# An agent that has just begun does not listen yet, and is not asked again at once.
PATIENCE_SECONDS = 60


def out_of_reach(view: JobView, now: datetime, seconds: float = PATIENCE_SECONDS) -> WorkerPod | None:
    """The first worker whose agent is up and was asked in vain, both for so long."""
    since = now - timedelta(seconds=seconds)
    pods = (pod for _, pod in sorted(view.workers.items()))
    silent = (p for p in pods if view.unreached.get(p.uid, 0.0) >= seconds)
    return next((p for p in silent if p.up and p.up <= since), None)


def why(pod: WorkerPod, namespace: str) -> str:
    """What a job's owner is told of such a worker."""
    who = f"rank {pod.rank} on {pod.node}: the agent of pod {pod.name} does not answer the operator"
    way = f"let the operator's namespace reach port {AGENT_PORT} in {namespace}"
    return f"{who}; look at the pod, and whether network policies {way}"
