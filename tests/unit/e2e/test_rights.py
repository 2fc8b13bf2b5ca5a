"""What roles grant, beside what requests took, as the API server writes it down."""

import json
from datetime import UTC, datetime
from typing import Any

from scenario.rights import Request, Right, forbidden, granted, requests, used

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(verb: str, resource: str = "", namespace: str = "", **fields: Any) -> dict[str, Any]:
    name, _, subresource = resource.partition("/")
    ref = {"resource": name, "subresource": subresource, "namespace": namespace, "apiVersion": "v1"}
    return {
        "verb": verb,
        "requestURI": f"/{resource}",
        "requestReceivedTimestamp": "2026-01-01T12:00:00.000000Z",
        "user": {"username": "operator"},
        "annotations": {"authorization.k8s.io/decision": "allow"},
        **({"objectRef": {key: value for key, value in ref.items() if value}} if resource else {}),
        **fields,
    }


FORBIDDEN = {"annotations": {"authorization.k8s.io/decision": "forbid"}, "responseStatus": {"code": 403}}


def read(*events: dict[str, Any]) -> list[Request]:
    return requests("".join(json.dumps(each) + "\n" for each in events))


def role(kind: str, *rules: tuple[list[str], list[str]], **metadata: str) -> dict[str, Any]:
    listed = [{"apiGroups": [""], "resources": resources, "verbs": verbs} for resources, verbs in rules]
    return {"kind": kind, "metadata": {"name": "ergosphere", **metadata}, "rules": listed}


def test_a_role_grants_every_verb_on_every_resource_of_a_rule() -> None:
    cluster = role("ClusterRole", (["pods", "pods/status"], ["get", "patch"]))
    local = role("Role", (["secrets"], ["get"]), namespace="system")
    assert granted(cluster, local) == {
        Right("", "", "pods", "get"),
        Right("", "", "pods", "patch"),
        Right("", "", "pods/status", "get"),
        Right("", "", "pods/status", "patch"),
        Right("system", "", "secrets", "get"),
    }


def test_a_right_is_used_in_any_namespace_and_for_its_subresource_only() -> None:
    rights = granted(role("ClusterRole", (["pods", "pods/status"], ["list", "patch"])))
    asked = read(event("list", "pods"), event("patch", "pods/status", "lab"))
    unused = {(right.resource, right.verb) for right in rights - used(rights, asked)}
    assert unused == {("pods", "patch"), ("pods/status", "list")}


def test_where_two_roles_grant_the_same_the_narrower_one_is_used() -> None:
    wide = role("ClusterRole", (["secrets"], ["create"]))
    narrow = role("Role", (["secrets"], ["create"]), namespace="system")
    rights = granted(wide, narrow)
    assert used(rights, read(event("create", "secrets", "system"))) == granted(narrow)
    assert used(rights, read(event("create", "secrets", "lab"))) == granted(wide)


def test_what_was_forbidden_is_told_and_is_no_use_of_a_right() -> None:
    rights = granted(role("ClusterRole", (["nodes"], ["list"])))
    asked = read(event("list", "nodes", **FORBIDDEN), event("get", requestURI="/metrics", **FORBIDDEN))
    assert used(rights, asked) == set()
    assert forbidden(asked, since=NOON) == ["get /metrics", "list /nodes"]
    assert forbidden(asked, since=datetime(2026, 1, 1, 13, tzinfo=UTC)) == []


def test_what_admission_refuses_is_no_matter_of_rights() -> None:
    asked = read(event("create", "pods", "ending", responseStatus={"code": 403, "reason": "Forbidden"}))
    assert forbidden(asked, since=NOON) == []
