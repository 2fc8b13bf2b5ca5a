"""`ergo checkpoint JOB`: save a running job, which runs on; and `inspect`, what is in the store of it."""

from typing import Annotated

import typer

from ergosphere.api.checkpoint import KIND as CHECKPOINT
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import API_VERSION
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.group import DefaultCommand
from ergosphere.cli.inspect import inspect
from ergosphere.cli.options import TIMEOUT_SECONDS, Output
from ergosphere.cli.result import show
from ergosphere.cli.stand import saved
from ergosphere.cli.suspend import living
from ergosphere.cli.units import length, size
from ergosphere.cli.waiting import await_stand
from ergosphere.controller.resources import CHECKPOINTS
from ergosphere.workload.names import stem

app = typer.Typer(
    cls=DefaultCommand,
    no_args_is_help=True,
    help="Save a running job, which runs on: `ergo checkpoint JOB` is short for `ergo checkpoint take JOB`.",
)


@app.command()
def take(
    job: options.Job,
    name: Annotated[
        str | None, typer.Option(help="The Checkpoint's name; by default the job's and a suffix.")
    ] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Keep it whatever the job's retention says.")] = False,
    wait: options.Wait = False,
    timeout: options.Timeout = TIMEOUT_SECONDS,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Save a running job, which runs on. A job to come can start from it (spec.restoreFrom)."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    living(cluster, job)
    metadata = {"name": name} if name else {"generateName": f"{stem(job)}-"}
    spec = {"jobName": job, **({"pinned": True} if pin else {})}
    body = {"apiVersion": API_VERSION, "kind": CHECKPOINT, "metadata": metadata, "spec": spec}
    made = cluster.create(CHECKPOINTS, body)
    if wait:
        made = await_stand(cluster, CHECKPOINTS, made["metadata"]["name"], saved, timeout)
    checkpoint = Checkpoint.parse(made)
    show(output, _value(checkpoint), _said(checkpoint))


app.command()(inspect)


def _value(checkpoint: Checkpoint) -> dict[str, object]:
    status = checkpoint.status
    return {
        "name": checkpoint.name,
        "namespace": checkpoint.namespace,
        "job": checkpoint.spec.job_name,
        "ready": checkpoint.ready,
        "bytes": status.bytes,
        "newBytes": status.new_bytes,
        "stallMs": status.stall_ms,
        "id": status.id or None,
    }


def _said(checkpoint: Checkpoint) -> str:
    if not checkpoint.ready:
        return f"{checkpoint.name} is asked for"
    status = checkpoint.status
    stall = f"; the job stood still for {length((status.stall_ms or 0) / 1000)}" if status.stall_ms else ""
    return f"{checkpoint.name} is ready: {size(status.bytes)}, {size(status.new_bytes)} of it new{stall}"
