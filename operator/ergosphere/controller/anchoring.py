"""Jobs that cannot leave, or cannot start, because a volume of theirs is where it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from ergosphere.scheduling.model import Fleet
from ergosphere.workload.volumes import Binding, elsewhere

from .conditions import Waiting
from .fleet import relocation
from .view import JobView


def anchored(
    view: JobView, nodes: Iterable[Mapping[str, Any]], bound: tuple[Binding, ...], space: Fleet
) -> Waiting | None:
    """Why a job that is to go somewhere, off its nodes or from waiting, can go nowhere now.

    `bound` are its volumes that not every node has. None for a job that need not move, or can.
    """
    if not bound or not _is_to_move(view, space):
        return None
    labels = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in nodes}
    left = {p.node for p in view.job.status.placement}
    open_nodes = [n for n, node in space.nodes.items() if node.ready and not node.cordoned and n not in left]
    claims = [claim for name in open_nodes if (claim := elsewhere(bound, labels[name]))]
    if len(claims) < len(open_nodes) or not claims:
        return None
    having = sorted(name for name, own in labels.items() if elsewhere(bound, own) is None)
    where = ", ".join(having) or "no node that is left"
    return Waiting("VolumeCannotFollow", f"the volume of claim {claims[0]} cannot follow: it is on {where}")


def _is_to_move(view: JobView, space: Fleet) -> bool:
    placed = {p.node for p in view.job.status.placement}
    cordoned = any(name in space.nodes and space.nodes[name].cordoned for name in placed)
    return not placed or cordoned or relocation(view) is not None
