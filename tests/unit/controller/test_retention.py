"""Which checkpoints of a job are kept no longer, by their number and by their age."""

from datetime import timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.controller.retention import expired, surplus


def gone(scene: Scene, later: float = 0) -> list[str]:
    return [c.name for c in surplus(scene.view(), NOW + timedelta(seconds=later))]


def running(**checkpoint: object) -> Scene:
    return Scene().spec(checkpoint=checkpoint).placed("n1", ran=True).running()


def taken(scene: Scene, names: str, **spec: object) -> Scene:
    for name in names:
        scene.checkpoint(name, "Ready", uid=f"c-{name}", **{"reason": "Interval", **spec})
    return scene


def test_the_newest_are_kept() -> None:
    assert gone(taken(running(keep=2), "abcd")) == ["a", "b"]


def test_failed_ones_are_counted_by_themselves() -> None:
    scene = taken(running(keep=1), "ab")
    for name in "xyz":
        scene.checkpoint(name, "Failed", uid=f"c-{name}", reason="Interval")
    assert gone(scene) == ["a", "x", "y"]


def test_what_is_pinned_was_asked_for_or_is_being_made_is_neither_counted_nor_deleted() -> None:
    scene = taken(running(keep=1), "a", pinned=True)
    taken(scene, "b", reason="Requested")
    scene.checkpoint("c", "", uid="c-c", reason="Interval")
    assert gone(taken(scene, "de")) == ["d"]


def test_age_deletes_what_the_number_would_keep() -> None:
    scene = taken(running(keep=9), "ab", ttlSeconds=100)
    assert gone(scene, later=99) == []
    assert gone(scene, later=100) == ["a", "b"]


def test_age_deletes_what_was_asked_for_too_but_not_what_is_pinned() -> None:
    scene = taken(running(), "a", ttlSeconds=100, reason="Requested")
    assert gone(taken(scene, "b", ttlSeconds=100, pinned=True), later=100) == ["a"]


@pytest.mark.parametrize("finished", [False, True])
def test_what_a_job_goes_on_from_outlives_its_time_until_the_job_has_finished(finished: bool) -> None:
    scene = taken(running(), "ab", ttlSeconds=100)
    scene.status["lastCheckpoint"] = {"name": "b", "time": NOW.isoformat()}
    if finished:
        complete = {"type": "Complete", "status": "True", "reason": "Completed", "observedGeneration": 1}
        scene.status["conditions"].append(complete | {"lastTransitionTime": NOW.isoformat()})
    assert gone(scene, later=100) == (["a", "b"] if finished else ["a"])


def test_one_that_is_being_made_has_no_age() -> None:
    scene = running()
    scene.checkpoint("a", "", ttlSeconds=100)
    assert not expired(scene.checkpoints[0], NOW + timedelta(days=9))
