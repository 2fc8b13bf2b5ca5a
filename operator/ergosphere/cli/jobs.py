"""`ergo jobs`: the jobs, where they run, and why others wait."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.table import Table

from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.options import Output
from ergosphere.cli.result import show, table
from ergosphere.cli.stand import waits
from ergosphere.cli.units import age, now
from ergosphere.controller.resources import TRAINING_JOBS


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job. Times are in ISO 8601, the fraction is that of the GPU time that it asked for."""

    namespace: str
    name: str
    phase: str
    tier: str
    workers: int
    gpus: int
    nodes: list[str]
    gpu_fraction: float | None
    last_checkpoint: str | None
    created: str | None
    restarts: int
    waits: str


def jobs(
    namespace: options.Namespace = None,
    all_namespaces: options.AllNamespaces = False,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """List jobs: where they run, what they received, and why others wait."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    found = cluster.list(TRAINING_JOBS, "" if all_namespaces else cluster.namespace)
    rows = [job_row(TrainingJob.parse(body)) for body in found]
    where = "" if all_namespaces else f" in namespace {cluster.namespace}"
    printed = job_table(rows, now(), namespaces=all_namespaces) if rows else f"There are no jobs{where}."
    show(output, [asdict(row) for row in rows], printed)


def job_row(job: TrainingJob) -> JobRow:
    """What is shown of a job."""
    status = job.status
    created = job.metadata.creation_timestamp
    return JobRow(
        namespace=job.namespace,
        name=job.name,
        phase=str(status.phase or "Pending"),
        tier=job.spec.tier,
        workers=job.spec.workers,
        gpus=status.gpus,
        nodes=sorted({p.node for p in status.placement}),
        gpu_fraction=float(status.gpu_fraction) if status.gpu_fraction else None,
        last_checkpoint=status.last_checkpoint.time.isoformat() if status.last_checkpoint else None,
        created=created.isoformat() if created else None,
        restarts=status.restarts,
        waits=waits(job),
    )


def job_table(rows: Sequence[JobRow], at: datetime, *, namespaces: bool) -> Table:
    """The jobs for people."""
    heads = ("NAME", "PHASE", "TIER", "WORKERS", "GPUS", "FRACTION", "SAVED", "AGE", "NODES", "WAITS FOR")
    cells = [_cells(row, at) for row in rows]
    if not namespaces:
        return table(*heads, rows=cells)
    wide = [(row.namespace, *rest) for row, rest in zip(rows, cells, strict=True)]
    return table("NAMESPACE", *heads, rows=wide)


def _cells(row: JobRow, at: datetime) -> tuple[str, ...]:
    return (
        row.name,
        row.phase,
        row.tier,
        str(row.workers),
        str(row.gpus),
        "" if row.gpu_fraction is None else f"{row.gpu_fraction:.2f}",
        _ago(row.last_checkpoint, at),
        _ago(row.created, at),
        ",".join(row.nodes),
        row.waits,
    )


def _ago(time: str | None, at: datetime) -> str:
    return age(datetime.fromisoformat(time), at) if time else ""
