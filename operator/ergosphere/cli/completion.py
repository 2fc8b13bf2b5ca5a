"""What the shell can complete: names, as the cluster has them now."""

import typer

from ergosphere.cli.cluster import NAMESPACES, Cluster
from ergosphere.cli.failure import Failure
from ergosphere.controller.kube import Resource
from ergosphere.controller.resources import NODES, TRAINING_JOBS


def job_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The jobs of the namespace that the command line names so far."""
    return _names(ctx, TRAINING_JOBS, incomplete)


def namespaces(ctx: typer.Context, incomplete: str) -> list[str]:
    """All namespaces."""
    return _names(ctx, NAMESPACES, incomplete)


def nodes(ctx: typer.Context, incomplete: str) -> list[str]:
    """All nodes."""
    return _names(ctx, NODES, incomplete)


def _names(ctx: typer.Context, resource: Resource, incomplete: str) -> list[str]:
    chosen = (ctx.params.get(name) for name in ("kubeconfig", "context", "namespace"))
    try:
        cluster = Cluster.connect(*chosen)
        found = cluster.list(resource, cluster.namespace if resource.namespaced else "")
    except Failure:
        # Half a command line is no place for an error: there is simply nothing to offer.
        return []
    names = sorted(o["metadata"]["name"] for o in found)
    return [name for name in names if name.startswith(incomplete)]
