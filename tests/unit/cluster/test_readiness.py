"""When a node counts as usable."""

from typing import Any

from cluster.gpus import RESOURCE
from cluster.readiness import usable


def status(ready: str = "True", gpus: str = "4", heartbeat: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    conditions = [
        {"type": "MemoryPressure", "status": "False"},
        {"type": "Ready", "status": ready, "lastHeartbeatTime": heartbeat},
    ]
    return {"conditions": conditions, "allocatable": {RESOURCE: gpus}}


def test_a_ready_node_with_its_gpus_is_usable() -> None:
    assert usable(status(), 4)


def test_a_node_that_is_not_registered_yet_is_not() -> None:
    assert not usable({}, 4)


def test_a_node_is_not_usable_before_its_kubelet_says_so() -> None:
    assert not usable(status(ready="False"), 4)
    assert not usable(status(ready="Unknown"), 4)


def test_a_node_is_not_usable_without_its_gpus() -> None:
    assert not usable(status(gpus="0"), 4)


def test_what_a_node_said_before_it_lost_power_does_not_count() -> None:
    assert not usable(status(heartbeat="2026-01-01T00:00:00Z"), 4, reported="2026-01-01T00:00:00Z")
    assert usable(status(heartbeat="2026-01-01T00:00:09Z"), 4, reported="2026-01-01T00:00:00Z")
