"""`ergo plan`: what the operator would do now and why, without doing it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.doctor import installation
from ergosphere.cli.failure import NotFound
from ergosphere.cli.options import Output
from ergosphere.cli.result import show, table
from ergosphere.cli.units import now
from ergosphere.controller.cache import Cache
from ergosphere.controller.config import topology_levels
from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.planning import Decisions, decide
from ergosphere.controller.resources import WATCHED
from ergosphere.scheduling.model import Preempt
from ergosphere.scheduling.plan import Follower


@dataclass(frozen=True, slots=True)
class Step:
    """What would be done with a job: `action` is Start, Preempt, Migrate, Resize, or Wait."""

    namespace: str
    name: str
    action: str
    nodes: list[str]
    reason: str
    message: str


def plan(
    operator_namespace: Annotated[
        str, typer.Option("--operator-namespace", help="Where the operator is installed.")
    ] = "ergosphere-system",
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Show the jobs of this namespace alone.")
    ] = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Show what the operator would do now with the jobs of the cluster, and why, without doing it."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    objects = {resource: cluster.list(resource) for resource in WATCHED}
    all_steps = planned(objects, now().timestamp(), _levels(cluster, operator_namespace))
    steps = [step for step in all_steps if namespace in (None, step.namespace)]
    heads = ("NAMESPACE", "JOB", "ACTION", "NODES", "REASON", "WHY")
    rows = [(s.namespace, s.name, s.action, ",".join(s.nodes), s.reason, s.message) for s in steps]
    printed = table(*heads, rows=rows) if steps else "There is nothing to do, and no job waits."
    show(output, [asdict(step) for step in steps], printed)


def _levels(cluster: Cluster, operator_namespace: str) -> tuple[str, ...]:
    """The operator's topology levels; the default ones where it runs outside of the cluster."""
    try:
        return topology_levels(installation(cluster, operator_namespace).environment)
    except NotFound:
        return topology_levels({})


def planned(objects: Mapping[Resource, Iterable[Object]], at: float, levels: tuple[str, ...]) -> list[Step]:
    """The steps, those that do something first. `at` is in seconds since the epoch."""
    cache = Cache()
    for resource, bodies in objects.items():
        for body in bodies:
            cache.put(resource, body)
    return steps_of(decide(cache, at, levels, Follower()))


def steps_of(decisions: Decisions) -> list[Step]:
    """What was decided, for people."""
    steps = []
    for (namespace, name), (_, action) in sorted(decisions.actions.items()):
        nodes = [] if isinstance(action, Preempt) else sorted(set(action.placement))
        kind = type(action).__name__
        steps.append(Step(namespace, name, kind, nodes, action.reason, action.message))
    # A job that is preempted waits from then on: that it is preempted, and why, says more.
    for (namespace, name), waiting in sorted(decisions.waiting.items()):
        if (namespace, name) not in decisions.actions:
            steps.append(Step(namespace, name, "Wait", [], waiting.reason, waiting.message))
    return steps
