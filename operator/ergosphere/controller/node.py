"""What a Node object says of the node."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from ergosphere.api.meta import GPU_RESOURCE

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
    """How much of a resource is among these quantities, which Kubernetes may write as 1k as well as 1000."""
    number: Decimal = parse_quantity(quantities.get(resource, 0))  # type: ignore[no-untyped-call]
    return int(number)
