"""Which nodes are lost, with all that runs on them; not every node that is not ready is.

What runs on a node whose kubelet says that it is not ready, for a moment, runs on. And when most nodes are
out of reach at once, it is the control plane that is. Kubernetes evicts nothing then either: see
`--unhealthy-zone-threshold` of its controller manager, whose share is used here.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from .node import ready

_PATIENCE_SECONDS = 60.0
_MOST = 0.55
_FEW = 3


def lost(nodes: Collection[Mapping[str, Any]], now: float) -> frozenset[str]:
    """The names of the nodes that are lost. `now` is in seconds since the epoch."""
    unready = [node for node in nodes if not ready(node)]
    if len(unready) >= max(_FEW, _MOST * len(nodes)):
        return frozenset()
    return frozenset(node["metadata"]["name"] for node in unready if _gone(node, now))


def doubtful(nodes: Collection[Mapping[str, Any]], lost: frozenset[str]) -> frozenset[str]:
    """The nodes that are neither lost nor ready: what runs there stays, and nothing else goes there."""
    return frozenset(node["metadata"]["name"] for node in nodes if not ready(node)) - lost


def _gone(node: Mapping[str, Any], now: float) -> bool:
    """Whether nothing was heard of the node for as long as the control plane waits, or it is ill for long."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    found = next((c for c in conditions if c["type"] == "Ready"), None)
    if found is None or found["status"] == "Unknown":
        return True
    since = found.get("lastTransitionTime")
    return bool(since) and now - datetime.fromisoformat(since).timestamp() >= _PATIENCE_SECONDS
