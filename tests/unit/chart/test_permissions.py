"""The operator may do what its code does, and nothing else: roles and calls are compared with each other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ergosphere.controller import resources
from ergosphere.controller.kube import Resource

ROOT = Path(__file__).parents[3]
ROLES = ROOT / "charts/ergosphere/templates/rbac.yaml"
CONTROLLER = ROOT / "operator/ergosphere/controller"
VERBS = {"merge": "patch", "apply": "patch", "replace": "update"}
CALL = re.compile(
    r'kube\.(get|list|watch|create|apply|merge|replace|delete)\(\s*([A-Z_]+)[,)]([^)\n]*"status")?'
)
# How the webhooks read.
LOOK = re.compile(r"\.(all|named|one)\(\s*([A-Z_]+)")
# Kept in the operator's own namespace.
OWN = {("coordination.k8s.io", "leases")}

Permission = tuple[str, str, str]


def role(kind: str) -> set[Permission]:
    """What the operator's role of this kind allows: (group, resource, verb)."""
    texts = re.sub(r"^.*\{\{.*\}\}.*$", "", ROLES.read_text(), flags=re.M).split("\n---\n")
    documents: list[dict[str, Any]] = [yaml.safe_load(text) for text in texts]
    rules = next(d["rules"] for d in documents if d["kind"] == kind)
    return {
        (g, r, v)
        for rule in rules
        for g in rule["apiGroups"]
        for r in rule["resources"]
        for v in rule["verbs"]
    }


def calls() -> Iterator[Permission]:
    """What the operator's code asks of the API server."""
    for path in CONTROLLER.glob("*.py"):
        for call, name, status in CALL.findall(path.read_text()):
            kind: Resource = getattr(resources, name)
            yield kind.group, kind.plural + ("/status" if status else ""), VERBS.get(call, call)
        for call, name in LOOK.findall(path.read_text()):
            kind = getattr(resources, name)
            yield kind.group, kind.plural, "list" if call == "all" else "get"
    for kind in resources.WATCHED:
        yield from ((kind.group, kind.plural, verb) for verb in ("list", "watch"))


def test_the_cluster_role_allows_what_the_code_does_and_no_more() -> None:
    allowed = {p for p in role("ClusterRole") if not p[1].endswith("/finalizers")}
    assert allowed == {p for p in calls() if p[:2] not in OWN and p != ("", "secrets", "get")}


def test_secrets_are_read_in_the_operators_own_namespace_only() -> None:
    assert ("", "secrets", "get") in role("Role")
    assert {p[2] for p in role("ClusterRole") if p[1] == "secrets"} == {"create"}


def test_the_lease_can_be_kept() -> None:
    assert {p for p in calls() if p[:2] in OWN} <= role("Role")


def test_the_operator_may_name_the_owners_of_its_pods() -> None:
    owned = {p[1] for p in role("ClusterRole") if p[1].endswith("/finalizers")}
    assert owned == {"trainingjobs/finalizers", "checkpoints/finalizers"}
