"""What --wait waits for, judged from one object."""

import pytest
from tests.unit.controller.builders import Scene

from ergosphere.cli.stand import Stand, moved, running, saved, suspended

ENDED = {
    "type": "Complete",
    "status": "True",
    "reason": "Completed",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
SUSPENDED = ENDED | {"type": "Suspended"}


def body(scene, **status):
    return {**scene.body, "status": {**scene.status, **status}}


def test_a_job_runs_once_every_worker_of_its_incarnation_was_seen_to():
    assert not running(body(Scene().placed("n1"), phase="Starting")).done
    assert running(body(Scene().placed("n1", ran=True), phase="Running")).done
    assert not running(body(Scene().placed("n1", ran=True).cutting())).done


def test_a_job_that_waits_says_what_for():
    placed = ENDED | {"type": "Placed", "status": "False", "reason": "NoRoom", "message": "Waits for 8 GPUs."}
    assert running(body(Scene(), conditions=[placed])) == Stand("Pending: NoRoom: Waits for 8 GPUs.")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("PodsCreated", "FailedCreate"),
        ("Running", "WorkerStuck"),
        ("Running", "WorkerSilent"),
        ("Movable", "LocalVolume"),
    ],
)
def test_a_job_that_something_holds_back_says_what(kind, reason):
    held = ENDED | {"type": kind, "status": "False", "reason": reason, "message": "Why."}
    scene = Scene().placed("n1")
    assert running(body(scene, phase="Starting", conditions=[held])).text == f"Starting: {reason}: Why."
    on_its_way = held | {"reason": "NotCreated" if kind == "PodsCreated" else "Starting"}
    if kind != "Movable":
        assert running(body(scene, phase="Starting", conditions=[on_its_way])).text == "Starting"


def test_a_job_is_suspended_when_its_condition_says_so():
    scene = Scene().spec(suspend=True)
    assert not suspended(body(scene, phase="Suspending")).done
    assert suspended(body(scene, conditions=[SUSPENDED])).done


@pytest.mark.parametrize(
    ("judge", "spec"),
    [(suspended, {"suspend": False}), (running, {"suspend": True}), (moved(1, frozenset()), {})],
)
def test_a_wish_that_somebody_takes_back_is_not_waited_for(judge, spec):
    assert judge(body(Scene().placed("n1", ran=True).spec(**spec))).failed.endswith("meanwhile")


@pytest.mark.parametrize("judge", [suspended, running, moved(1, frozenset())])
def test_a_job_that_has_ended_is_not_waited_for(judge):
    wish = {"suspend": judge is suspended, "migration": {"incarnation": 1}}
    ended = body(Scene().spec(**wish), phase="Succeeded", conditions=[ENDED])
    assert judge(ended).failed == "it has ended: Succeeded"


def test_a_job_has_moved_when_a_later_incarnation_runs_where_it_was_wanted():
    wanted = moved(1, frozenset({"n2", "n3"}))
    wish = {"migration": {"incarnation": 1, "nodes": ["n2", "n3"]}}
    assert not wanted(body(Scene().placed("n1", ran=True).spec(**wish))).done
    assert not wanted(body(Scene().placed("n2", incarnation=2).spec(**wish))).done
    assert wanted(body(Scene().placed("n2", incarnation=2, ran=True).spec(**wish))).done


def test_a_job_that_went_elsewhere_has_not_moved_where_it_was_wanted():
    scene = Scene().placed("n4", incarnation=2, ran=True).spec(migration={"incarnation": 1})
    assert moved(1, frozenset({"n2"}))(body(scene, nodes="n4")).failed == (
        "it left, and went on at n4 for another reason"
    )


@pytest.mark.parametrize(
    ("condition", "stand"),
    [
        ("", Stand("Pending")),
        ("Ready", Stand("Pending", done=True)),
        ("Failed", Stand("Failed", failed="StoreFull: m")),
    ],
)
def test_a_checkpoint_is_ready_or_has_failed_or_is_waited_for(condition, stand):
    (checkpoint,) = Scene().checkpoint("c", condition, because="StoreFull").checkpoints
    assert saved(checkpoint.to_dict()) == stand
