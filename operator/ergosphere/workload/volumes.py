"""Volumes that not every node has: a job that uses one can run only where it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .affinity import matches


@dataclass(frozen=True, slots=True)
class Binding:
    """A claim of the pod whose volume is bound to nodes: `terms` are alternatives, as in a node affinity."""

    claim: str
    terms: tuple[Mapping[str, Any], ...]


def bindings(
    pod_spec: Mapping[str, Any],
    claims: Mapping[str, Mapping[str, Any]],
    volumes: Mapping[str, Mapping[str, Any]],
) -> tuple[Binding, ...]:
    """What binds a pod to nodes, by the claims of its namespace and the persistent volumes, by name.

    A claim that has no volume yet binds nothing.
    """
    names = [v["persistentVolumeClaim"]["claimName"] for v in _claiming(pod_spec)]
    found = ((name, _terms(claims.get(name), volumes)) for name in dict.fromkeys(names))
    return tuple(Binding(name, terms) for name, terms in found if terms)


def elsewhere(bound: tuple[Binding, ...], labels: Mapping[str, str]) -> str | None:
    """The claim whose volume a node with these labels does not have; None where it has them all."""
    return next((b.claim for b in bound if not any(matches(t, labels) for t in b.terms)), None)


def _claiming(pod_spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [v for v in pod_spec.get("volumes") or () if v.get("persistentVolumeClaim")]


def _terms(
    claim: Mapping[str, Any] | None, volumes: Mapping[str, Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    volume = volumes.get((claim or {}).get("spec", {}).get("volumeName", ""))
    required = ((volume or {}).get("spec", {}).get("nodeAffinity") or {}).get("required") or {}
    return tuple(required.get("nodeSelectorTerms") or ())
