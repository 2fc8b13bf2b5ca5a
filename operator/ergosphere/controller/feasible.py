"""Which nodes take a job's pods, found once for all jobs that ask for the same."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ergosphere.workload.affinity import refusal
from ergosphere.workload.volumes import Binding, elsewhere

_ASKED = ("nodeSelector", "affinity", "tolerations")


class Feasible:
    """Answers for the nodes that it was made with, as the API server returned them."""

    def __init__(self, nodes: Iterable[Mapping[str, Any]]) -> None:
        self._nodes = [
            (n["metadata"]["name"], n["metadata"].get("labels") or {}, n["spec"].get("taints") or ())
            for n in nodes
        ]
        self._found: dict[str, frozenset[str] | None] = {}

    def __call__(self, pod_spec: Mapping[str, Any], bound: tuple[Binding, ...]) -> frozenset[str] | None:
        """The nodes that take such a pod with these bindings of its volumes; None for all of them."""
        asked = {name: pod_spec[name] for name in _ASKED if name in pod_spec}
        terms = [binding.terms for binding in bound]
        key = json.dumps([asked, terms], sort_keys=True)
        if key not in self._found:
            self._found[key] = self._among(asked, bound)
        return self._found[key]

    def _among(self, asked: Mapping[str, Any], bound: tuple[Binding, ...]) -> frozenset[str] | None:
        fit = frozenset(
            name
            for name, labels, taints in self._nodes
            if not (refusal(asked, labels, taints) or elsewhere(bound, labels))
        )
        return fit if len(fit) < len(self._nodes) else None
