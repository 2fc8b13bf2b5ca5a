"""Which nodes need their GPUs declared again."""

from typing import Any

from cluster.embedded.devices import RESOURCE, correction


def node(**amounts: str) -> dict[str, Any]:
    status = {field: {"cpu": "2", RESOURCE: amount} for field, amount in amounts.items()}
    return {"metadata": {"name": "node-1"}, "status": status}


DECLARED = {"status": {"capacity": {RESOURCE: "4"}, "allocatable": {RESOURCE: "4"}}}


def test_a_new_node_gets_its_gpus() -> None:
    assert correction({"metadata": {"name": "node-1"}}, {"node-1": 4}) == DECLARED


def test_a_restarted_kubelet_that_set_them_to_zero_is_corrected() -> None:
    assert correction(node(capacity="0", allocatable="0"), {"node-1": 4}) == DECLARED


def test_a_capacity_that_is_not_allocatable_yet_is_corrected() -> None:
    assert correction(node(capacity="4", allocatable="0"), {"node-1": 4}) == DECLARED


def test_a_node_that_declares_them_is_left_alone() -> None:
    assert correction(node(capacity="4", allocatable="4"), {"node-1": 4}) is None


def test_nodes_of_others_and_nodes_without_gpus_are_left_alone() -> None:
    assert correction(node(), {"node-2": 4}) is None
    assert correction(node(), {"node-1": 0}) is None
