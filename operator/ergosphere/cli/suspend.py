"""`ergo suspend` and `ergo resume`: a job off its nodes with a checkpoint, and back exactly there."""

from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.failure import Failure
from ergosphere.cli.options import TIMEOUT_SECONDS, Output
from ergosphere.cli.result import show
from ergosphere.cli.stand import Judge, running, suspended
from ergosphere.cli.waiting import await_stand
from ergosphere.controller.resources import TRAINING_JOBS


def suspend(
    job: options.Job,
    wait: options.Wait = False,
    timeout: options.Timeout = TIMEOUT_SECONDS,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Checkpoint a job, take it off its nodes and keep it so."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    _set(cluster, job, True, suspended if wait else None, timeout, output)


def resume(
    job: options.Job,
    wait: options.Wait = False,
    timeout: options.Timeout = TIMEOUT_SECONDS,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Let a suspended job go on where it was cut, as soon as there is room."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    _set(cluster, job, False, running if wait else None, timeout, output)


def living(cluster: Cluster, name: str) -> TrainingJob:
    """The job, if anything can still be asked of it. Raises NotFound, or Failure for one that has ended."""
    job = TrainingJob.parse(cluster.get(TRAINING_JOBS, name))
    if job.finished or job.deleted:
        raise Failure(f"{name} has ended ({job.status.phase}): there is nothing left of it to move or stop")
    return job


def _set(
    cluster: Cluster, name: str, wish: bool, judge: Judge | None, seconds: float, output: Output
) -> None:
    living(cluster, name)
    body = cluster.merge(TRAINING_JOBS, name, {"spec": {"suspend": wish}})
    if judge:
        body = await_stand(cluster, TRAINING_JOBS, name, judge, seconds)
    job = TrainingJob.parse(body)
    said = f"is {job.status.phase}" if judge else f"is to be {'suspended' if wish else 'resumed'}"
    where = f" on {job.status.nodes}" if job.status.nodes and judge else ""
    value = {"name": name, "namespace": job.namespace, "suspend": wish, "phase": job.status.phase}
    show(output, value | {"nodes": sorted({p.node for p in job.status.placement})}, f"{name} {said}{where}")
