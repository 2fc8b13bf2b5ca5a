"""Which nodes take a job's pods."""

from typing import Any

from ergosphere.controller.feasible import Feasible
from ergosphere.workload.volumes import Binding

_GOLD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["gold"]}]}


def node(name: str, taint: str = "", **labels: str) -> dict[str, Any]:
    taints = [{"key": taint, "effect": "NoSchedule"}] if taint else []
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints}}


FEASIBLE = Feasible([node("a"), node("b", disk="gold"), node("c", "dedicated", disk="gold", zone="x")])
_TOLERANT = {"tolerations": [{"operator": "Exists"}]}


def test_a_pod_that_asks_for_nothing_goes_where_nothing_keeps_it_away() -> None:
    assert FEASIBLE({}, ()) == {"a", "b"}


def test_where_every_node_is_right_none_is_named() -> None:
    assert FEASIBLE(_TOLERANT, ()) is None


def test_labels_and_volumes_narrow_it_down() -> None:
    assert FEASIBLE(_TOLERANT | {"nodeSelector": {"zone": "x"}}, ()) == {"c"}
    assert FEASIBLE({}, (Binding("data", (_GOLD,)),)) == {"b"}
    assert FEASIBLE({"nodeSelector": {"zone": "y"}}, ()) == frozenset()


def test_jobs_that_ask_for_the_same_get_the_same_answer_and_others_their_own() -> None:
    first = FEASIBLE({"nodeSelector": {"disk": "gold"}, "containers": [{"name": "a"}]}, ())
    assert FEASIBLE({"nodeSelector": {"disk": "gold"}, "containers": [{"name": "b"}]}, ()) is first
    assert FEASIBLE({"nodeSelector": {"disk": "gold"}} | _TOLERANT, ()) == {"b", "c"}
