"""`ergo describe JOB`: what a job is, and what happened to it, why, and how long it took."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.jobs import job_row
from ergosphere.cli.options import Output
from ergosphere.cli.result import facts, show, table
from ergosphere.cli.timeline import Entry, timeline
from ergosphere.cli.units import age, length, now, size
from ergosphere.controller.resources import CHECKPOINTS, EVENTS, TRAINING_JOBS


def describe(
    job: options.Job,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Say what a job is, and what happened to it: placed, cut, moved, why, and how long it took.

    The cluster forgets Events, after an hour by default; what Checkpoints know stays as long as they do.
    """
    cluster = Cluster.connect(kubeconfig, context, namespace)
    found = TrainingJob.parse(cluster.get(TRAINING_JOBS, job))
    checkpoints = [Checkpoint.parse(c) for c in cluster.list(CHECKPOINTS, cluster.namespace)]
    about = f"involvedObject.uid={found.uid}"
    events = cluster.list(EVENTS, cluster.namespace, fieldSelector=about)
    entries = timeline(found, checkpoints, events)
    show(output, described(found, entries), facts(_facts(found)), "", _table(entries))


def described(job: TrainingJob, entries: Sequence[Entry]) -> dict[str, Any]:
    """The job and its timeline for programs."""
    told = [asdict(entry) | {"time": entry.time.isoformat()} for entry in entries]
    conditions = [c.to_dict() for c in job.status.conditions]
    return asdict(job_row(job)) | {
        "incarnation": job.status.incarnation,
        "placement": [p.to_dict() for p in job.status.placement],
        "failures": job.status.failures,
        "lostSeconds": job.status.lost_seconds or 0.0,
        "lastMoveMs": job.status.timings,
        "conditions": conditions,
        "timeline": told,
    }


def _facts(job: TrainingJob) -> list[tuple[str, str]]:
    status, row = job.status, job_row(job)
    last, at = status.last_checkpoint, now()
    saved = f"{last.name}, {age(last.time, at)} ago, {size(last.bytes)}" if last else "never"
    parts = ", ".join(f"{part} {length(ms / 1000)}" for part, ms in status.timings.items())
    return [
        ("Name", f"{job.namespace}/{job.name}"),
        ("Phase", row.phase),
        ("Waits for", row.waits),
        ("Tier", row.tier),
        ("Workers", f"{row.workers} with {job.spec.gpus_per_worker()} GPUs each"),
        ("Nodes", _nodes(job)),
        ("GPU fraction", status.gpu_fraction or ""),
        ("Incarnation", str(status.incarnation)),
        ("Last checkpoint", saved),
        ("Last move", parts),
        ("Failures", f"{status.failures} of at most {job.spec.backoff_limit}" if status.failures else ""),
        ("Lost work", length(status.lost_seconds) if status.lost_seconds else ""),
    ]


def _nodes(job: TrainingJob) -> str:
    ranks: dict[str, list[str]] = {}
    for place in job.status.placement:
        ranks.setdefault(place.node, []).append(str(place.rank))
    return "; ".join(f"{node} (rank {', '.join(numbers)})" for node, numbers in sorted(ranks.items()))


def _table(entries: Sequence[Entry]) -> Table:
    rows = [
        (
            entry.time.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            "" if entry.seconds is None else length(entry.seconds),
            f"{'! ' if entry.warning else ''}{entry.what}",
            entry.why,
        )
        for entry in entries
    ]
    return table("TIME", "TOOK", "WHAT", "WHY", rows=rows)
