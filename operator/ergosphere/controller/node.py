"""What a Node object says of the node."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from ergosphere.api.meta import GPU_RESOURCE

_MOST_DIGITS = 18
_UNREACHABLE = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


def ready(node: Mapping[str, Any]) -> bool:
    """Whether the node is in reach and runs pods."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    says_so = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return says_so and not any(t["key"] in _UNREACHABLE for t in node["spec"].get("taints") or ())


def gpus(quantities: Mapping[str, Any] | None) -> int:
    """How many GPUs are among these quantities."""
    return amount(quantities or {}, GPU_RESOURCE)


def amount(quantities: Mapping[str, Any], resource: str) -> int:
    """How much of a resource is among these quantities, which Kubernetes may write as 1k as well as 1000.

    Raises ValueError for what is none, or more than Kubernetes counts.
    """
    given = quantities.get(resource, 0)
    number: Decimal = parse_quantity(given)  # type: ignore[no-untyped-call]
    if not number.is_finite() or number.adjusted() > _MOST_DIGITS:
        raise ValueError(f"{resource}: {given} is not a quantity")
    return int(number)
