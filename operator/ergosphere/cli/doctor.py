"""`ergo doctor`: what keeps jobs from running and moving on this cluster, and how to mend it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.render import DEFINITIONS
from ergosphere.cli import options
from ergosphere.cli.checkup import Facts, Installation, examined
from ergosphere.cli.cluster import NAMESPACES, Cluster
from ergosphere.cli.failure import Failure, NotFound
from ergosphere.cli.finding import State
from ergosphere.cli.options import Output
from ergosphere.cli.permissions import OF_THE_OPERATOR, OF_THE_USER, Permission
from ergosphere.cli.result import show, table
from ergosphere.cli.trial import trial
from ergosphere.cli.units import now
from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.leader import NAME as LEASE
from ergosphere.controller.resources import CHECKPOINTS, LEASES, NODES, SECRETS

_KINDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
_DEPLOYMENTS = Resource("apps", "v1", "deployments")
_CLAIMS = Resource("", "v1", "persistentvolumeclaims")
_OPERATOR = "app.kubernetes.io/name=ergosphere"
_SIGNS = {State.OK: "ok", State.WARNING: "!", State.WRONG: "WRONG", State.UNKNOWN: "?"}

Value = TypeVar("Value")


def doctor(
    operator_namespace: Annotated[
        str, typer.Option("--operator-namespace", help="Where the operator is installed.")
    ] = "ergosphere-system",
    tried: Annotated[
        bool, typer.Option("--try", help="Also run a small job, save it and bring it back, then delete it.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=1, metavar="SECONDS", help="How long each step of --try may take."),
    ] = 120.0,
    namespace: options.Namespace = None,
    output: options.As = Output.TABLE,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Check cluster, nodes, operator, store and permissions, and say how to mend what is wrong."""
    cluster = Cluster.connect(kubeconfig, context, namespace)
    facts = _facts(cluster, operator_namespace)
    findings = examined(facts)
    if tried:
        findings += trial(cluster, facts.operator, timeout)
    rows = [(_SIGNS[f.state], f.check, f.says, "" if f.state is State.OK else f.mend) for f in findings]
    printed = table("", "CHECK", "FOUND", "TO MEND IT", rows=rows, folded={"FOUND"})
    show(output, [asdict(finding) for finding in findings], printed)
    if any(finding.state is State.WRONG for finding in findings):
        raise typer.Exit(Failure.status)


def _facts(cluster: Cluster, system: str) -> Facts:
    operator = _told(lambda: installation(cluster, system))
    own = operator.environment if isinstance(operator, Installation) else {}
    return Facts(
        at=now(),
        version=cluster.call("GET", "/version"),
        kinds={d.name: _told(partial(cluster.get, _KINDS, d.name)) for d in DEFINITIONS},
        operator=operator,
        lease=_told(lambda: cluster.get(LEASES, LEASE, system)),
        nodes=_told(lambda: cluster.list(NODES)),
        checkpoints=_told(lambda: _checkpoints(cluster)),
        denied=_denied(cluster, OF_THE_USER, cluster.namespace),
        operator_denied=_told(lambda: _denied_to(cluster, operator)),
        namespace=_named(cluster, NAMESPACES, cluster.namespace),
        claim=_named(cluster, _CLAIMS, own.get("ERGO_STORE_PVC")),
        secret=_named(cluster, SECRETS, own.get("ERGO_STORE_SECRET")),
    )


def _told(ask: Callable[[], Value]) -> Value | Failure:
    """What the cluster answers, or why it does not: each check goes on without the others."""
    try:
        return ask()
    except Failure as failure:
        return failure


def installation(cluster: Cluster, system: str) -> Installation:
    """The operator in its namespace. Raises NotFound."""
    found = cluster.list(_DEPLOYMENTS, system, labelSelector=_OPERATOR)
    if not found:
        raise NotFound(f"there is no operator in namespace {system}")
    return Installation(found[0])


def _checkpoints(cluster: Cluster) -> list[Checkpoint]:
    return [Checkpoint.parse(body) for body in cluster.list(CHECKPOINTS, cluster.namespace)]


def _named(cluster: Cluster, resource: Resource, name: str | None) -> Object | Failure | None:
    return _told(lambda: cluster.get(resource, name)) if name else None


def _denied_to(cluster: Cluster, operator: Installation | Failure) -> Sequence[str]:
    if isinstance(operator, Failure):
        raise Failure("the operator was not found")
    return _denied(cluster, OF_THE_OPERATOR, "", operator.account)


def _denied(
    cluster: Cluster, permissions: Iterable[Permission], namespace: str, user: str = ""
) -> Sequence[str]:
    return [str(p) for p in permissions if not _allowed(cluster, p.attributes(namespace), user)]


def _allowed(cluster: Cluster, attributes: Mapping[str, str], user: str) -> bool:
    plural = "subjectaccessreviews" if user else "selfsubjectaccessreviews"
    spec: dict[str, Any] = {"resourceAttributes": dict(attributes)} | ({"user": user} if user else {})
    body = {"apiVersion": "authorization.k8s.io/v1", "spec": spec}
    body["kind"] = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
    answer = cluster.call("POST", f"/apis/authorization.k8s.io/v1/{plural}", {}, body)
    return bool(answer["status"]["allowed"])
