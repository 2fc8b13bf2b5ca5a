"""Where a pod may run: the user's own constraints, and the node that the planner chose."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pinned_to(node: str, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """The user's affinity, narrowed to one node. Terms are alternatives, so each of them is narrowed."""
    affinity: dict[str, Any] = deepcopy(dict(own or {}))
    node_affinity = affinity.setdefault("nodeAffinity", {})
    terms = (node_affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    node_affinity[_REQUIRED] = {
        "nodeSelectorTerms": [{**t, "matchFields": [*t.get("matchFields", ()), field]} for t in terms]
    }
    return affinity


def refusal(
    pod_spec: Mapping[str, Any], labels: Mapping[str, str], taints: Sequence[Mapping[str, str]]
) -> str | None:
    """Why a node with these labels and taints does not take the pod, or None when it does.

    Taints that come and go with a node's health or a cordon are the planner's concern and are passed over.
    """
    for key, value in (pod_spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return f"nodeSelector asks for {key}={value}"
    required = ((pod_spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    terms = required.get("nodeSelectorTerms") or [{}]
    if not any(matches(term, labels) for term in terms):
        return "the required node affinity does not match"
    untolerated = next((t for t in taints if _repels(t, pod_spec.get("tolerations") or ())), None)
    return f"taint {untolerated['key']} is not tolerated" if untolerated else None


def matches(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels fulfils one term of a node selector."""
    return all(_holds(e, labels) for e in term.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values: Sequence[str] = expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.isdigit() and int(value) > int(values[0])
        case "Lt":
            return value is not None and value.isdigit() and int(value) < int(values[0])
    return False


def _repels(taint: Mapping[str, str], tolerations: Sequence[Mapping[str, str]]) -> bool:
    if taint.get("effect") == "PreferNoSchedule" or taint["key"].startswith("node.kubernetes.io/"):
        return False
    return not any(_tolerates(t, taint) for t in tolerations)


def _tolerates(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
