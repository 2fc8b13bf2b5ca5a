"""What moving a job costs, as its status tells."""

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.controller.moving import moving

GIB = 1 << 30
MOVE = {
    "freeze": 100.0,
    "dump": 1000.0,
    "store": 3000.0,
    "place": 60_000.0,
    "start": 2900.0,
    "fetch": 3000.0,
    "restore": 1000.0,
}


def saved(scene: Scene, gib: int, **timings: float) -> Scene:
    last = {"name": "a-1", "time": NOW.isoformat(), "bytes": gib * GIB}
    return scene.placed("n1", ran=True, lastCheckpoint=last, timings=timings)


def test_a_job_that_was_moved_costs_what_its_last_move_did_but_for_the_wait() -> None:
    cost = moving(saved(Scene(), 4, **MOVE).view().job)
    assert cost.pause_s == pytest.approx(11.0)
    assert cost.overhead_s == pytest.approx(3.0)
    assert cost.bytes_per_s == pytest.approx(GIB)
    assert cost.saved_at == NOW.timestamp()


def test_half_a_move_is_no_measure() -> None:
    half = {part: ms for part, ms in MOVE.items() if part not in ("fetch", "restore", "start")}
    assert moving(saved(Scene(), 4, **half).view().job) == moving(saved(Scene(), 4).view().job)


@pytest.mark.parametrize("where", ["requests", "limits"])
def test_a_job_that_was_never_saved_is_as_large_as_what_its_workers_ask_for(where: str) -> None:
    scene = Scene().placed("n1", "n2", ran=True)
    scene.body["spec"]["template"]["spec"]["containers"][0]["resources"] = {where: {"memory": "3Gi"}}
    assert moving(scene.view().job).bytes == 6 * GIB
    assert moving(scene.view().job).saved_at is None
