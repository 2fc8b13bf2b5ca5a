"""Nodes that are not ready, and whether they are lost with what runs on them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ergosphere.controller.outage import doubtful, lost

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


def node(name: str, ready: str = "True", seconds: float = 0.0) -> dict[str, Any]:
    since = datetime.fromtimestamp(NOW - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": since}]
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": conditions}}


def test_a_node_that_nothing_is_heard_of_is_lost() -> None:
    assert lost([node("a"), node("b", "Unknown")], NOW) == {"b"}


@pytest.mark.parametrize(("seconds", "gone"), [(0, False), (59, False), (60, True)])
def test_a_node_that_is_ill_is_lost_when_it_stays_so(seconds: float, gone: bool) -> None:
    nodes = [node("a"), node("b", "False", seconds)]
    assert lost(nodes, NOW) == ({"b"} if gone else frozenset())
    assert doubtful(nodes, lost(nodes, NOW)) == (frozenset() if gone else {"b"})


@pytest.mark.parametrize(("unready", "of", "gone"), [(2, 2, 2), (2, 3, 2), (3, 3, 0), (5, 10, 5), (6, 10, 0)])
def test_when_most_nodes_are_out_of_reach_at_once_none_is_lost(unready: int, of: int, gone: int) -> None:
    nodes = [node(f"n{n}", "Unknown" if n < unready else "True") for n in range(of)]
    assert len(lost(nodes, NOW)) == gone
    assert len(doubtful(nodes, lost(nodes, NOW))) == unready - gone


def test_a_node_that_has_never_said_anything_is_lost() -> None:
    assert lost([node("a"), {"metadata": {"name": "b"}, "spec": {}, "status": {}}], NOW) == {"b"}
