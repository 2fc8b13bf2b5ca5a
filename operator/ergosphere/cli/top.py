"""`ergo top`: nodes, GPUs, jobs and promises, live."""

import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from ergosphere.api.service_tier import ServiceTier
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.jobs import job_table
from ergosphere.cli.options import Output
from ergosphere.cli.overview import Overview, overview
from ergosphere.cli.result import show, table
from ergosphere.cli.units import now
from ergosphere.controller.resources import NODES, PODS, SERVICE_TIERS, TRAINING_JOBS


def top(
    once: Annotated[bool, typer.Option("--once", help="Print once instead of live.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.5, metavar="SECONDS", help="How often to look.")
    ] = 2.0,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Show the jobs of this namespace alone.")
    ] = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Show nodes, GPUs, jobs and promises of the whole cluster, live on a terminal."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    terminal = Console()
    if once or output is Output.JSON or not terminal.is_terminal:
        seen = _look(cluster)
        show(output, _value(seen, namespace), *_parts(seen, namespace))
        return
    with Live(console=terminal, screen=True, auto_refresh=False) as live:
        while True:
            live.update(Group(*_parts(_look(cluster), namespace)), refresh=True)
            time.sleep(every)


def _look(cluster: Cluster) -> Overview:
    return overview(
        cluster.list(NODES),
        cluster.list(PODS),
        [TrainingJob.parse(body) for body in cluster.list(TRAINING_JOBS)],
        [ServiceTier.parse(body) for body in cluster.list(SERVICE_TIERS)],
    )


def _value(seen: Overview, namespace: str | None) -> dict[str, object]:
    value = asdict(seen)
    value["jobs"] = [job for job in value["jobs"] if namespace in (None, job["namespace"])]
    for node, row in zip(value["nodes"], seen.nodes, strict=True):
        node["free"] = row.free
    return value


def _parts(seen: Overview, namespace: str | None) -> list[Table | str]:
    jobs = [job for job in seen.jobs if namespace in (None, job.namespace)]
    total, free = sum(n.gpus for n in seen.nodes), sum(n.free for n in seen.nodes)
    return [
        f"{len(seen.nodes)} nodes, {total} GPUs, {free} free\n",
        _nodes(seen),
        "",
        job_table(jobs, now(), namespaces=True) if jobs else "There are no jobs.",
        "",
        _tiers(seen),
    ]


def _nodes(seen: Overview) -> Table:
    rows = [
        (n.name, n.state, str(n.gpus), _bar(n.ours, n.others, n.free), str(n.free), ", ".join(n.jobs))
        for n in seen.nodes
    ]
    return table("NODE", "STATE", "GPUS", "USE", "FREE", "JOBS", rows=rows)


def _bar(ours: int, others: int, free: int) -> str:
    """One sign for each GPU, up to sixteen: # of a job, o of another pod, . free."""
    if ours + others + free > 16:
        return f"{ours}# {others}o {free}."
    return "#" * ours + "o" * others + "." * free


def _tiers(seen: Overview) -> Table:
    rows = [
        (
            t.name,
            "nothing" if t.promise is None else f"{t.promise:.2f}",
            "" if t.lowest is None else f"{t.lowest:.2f}",
            f"{t.running} of {t.jobs}",
            ", ".join(t.below),
        )
        for t in seen.tiers
    ]
    return table("TIER", "PROMISES", "LOWEST", "RUNNING", "BELOW THE PROMISE", rows=rows)
