"""`ergo migrate`: a running job to other nodes, without losing a step."""

from typing import Any

from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.failure import Failure
from ergosphere.cli.options import TIMEOUT_SECONDS, Output
from ergosphere.cli.result import show
from ergosphere.cli.stand import moved
from ergosphere.cli.suspend import living
from ergosphere.cli.waiting import await_stand
from ergosphere.controller.resources import TRAINING_JOBS


def migrate(
    job: options.Job,
    to: options.Node = None,
    wait: options.Wait = False,
    timeout: options.Timeout = TIMEOUT_SECONDS,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Move a running job to other nodes as soon as they have room. No other job yields for it."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    incarnation, nodes = _movable(living(cluster, job), to or [])
    wish: dict[str, Any] = {"incarnation": incarnation, "nodes": nodes or None}
    body = cluster.merge(TRAINING_JOBS, job, {"spec": {"migration": wish}})
    if wait:
        body = await_stand(cluster, TRAINING_JOBS, job, moved(incarnation, frozenset(nodes)), timeout)
    after = TrainingJob.parse(body).status
    value = {"name": job, "namespace": cluster.namespace, "from": incarnation, "to": nodes}
    value |= {"incarnation": after.incarnation, "nodes": sorted({p.node for p in after.placement})}
    where = ", ".join(nodes) or "other nodes"
    said = f"{job} runs on {after.nodes}" if wait else f"{job} is to move to {where}"
    show(output, value, said)


def _movable(job: TrainingJob, to: list[str]) -> tuple[int, list[str]]:
    """The incarnation that is to leave, and the nodes to go to, each once. Raises Failure for no move."""
    here = {p.node for p in job.status.placement}
    if not here:
        raise Failure(f"{job.name} is {job.status.phase} and on no node: there is nothing to move")
    if set(to) == here:
        raise Failure(f"{job.name} runs on {job.status.nodes} already")
    return job.status.incarnation, sorted(set(to))
