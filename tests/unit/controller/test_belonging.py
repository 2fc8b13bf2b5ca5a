"""To which job a checkpoint belongs: whose deletion it goes with, and who is cut for it."""

from typing import Any

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.controller.acts import NoteAsked, NoteCut, NoteOwner, acts
from ergosphere.controller.lifecycle import advance
from ergosphere.controller.moment import Moment
from ergosphere.controller.record import asked, owners

JOB = {"kind": "TrainingJob", "name": "a", "uid": "u-1"}
THEIRS = {"kind": "Study", "name": "s", "uid": "s-1"}


def running(policy: str = "Retain") -> Scene:
    return Scene().spec(checkpoint={"deletionPolicy": policy}).placed("n1", ran=True).running()


def change(scene: Scene, status: dict[str, Any], **metadata: Any) -> Checkpoint:
    """The scene's last checkpoint, with these fields of its status and of its metadata changed."""
    body = scene.checkpoints[-1].to_dict()
    body["metadata"] |= metadata
    body["status"] |= status
    scene.checkpoints[-1] = Checkpoint.parse(body)
    return scene.checkpoints[-1]


def noted(scene: Scene) -> list[tuple[str, str]]:
    """What is to be written down about which checkpoint."""
    done = acts(scene.view(), 15, NOW)
    return [
        (type(a).__name__, a.checkpoint.name) for a in done if isinstance(a, NoteAsked | NoteCut | NoteOwner)
    ]


def owned(policy: str, condition: str, *references: dict[str, str], **status: Any) -> Scene:
    scene = running(policy).checkpoint("mine", condition)
    change(scene, status, ownerReferences=list(references))
    return scene


@pytest.mark.parametrize("condition", ["Ready", "Failed"])
@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [("Retain", [THEIRS, JOB], ["s-1"]), ("Retain", [JOB], []), ("Delete", [THEIRS], ["s-1", "u-1"])],
)
def test_a_checkpoint_goes_with_its_job_or_not_as_the_policy_says_now(
    condition: str, policy: str, before: list[dict[str, str]], after: list[str]
) -> None:
    scene = owned(policy, condition, *before)
    assert noted(scene) == [("NoteOwner", "mine")]
    patch = owners(scene.view().job, scene.checkpoints[0])
    assert [o["uid"] for o in patch["metadata"]["ownerReferences"]] == after
    change(scene, {}, **patch["metadata"])
    assert noted(scene) == []


def test_the_owner_is_changed_only_of_what_was_observed() -> None:
    scene = owned("Retain", "Ready", JOB)
    change(scene, {}, resourceVersion="7")
    assert owners(scene.view().job, scene.checkpoints[0])["metadata"]["resourceVersion"] == "7"


def test_what_belongs_to_another_job_or_has_no_data_is_left_alone() -> None:
    assert noted(owned("Delete", "Ready", jobUid="u-0")) == []
    assert noted(owned("Delete", "")) == []


def waiting(uid: str) -> Scene:
    """A job that is suspended, and a checkpoint that was asked of a job of its name."""
    scene = Scene().spec(suspend=True).checkpoint("mine")
    change(scene, {"jobUid": uid, "startTime": None})
    return scene


def test_a_checkpoint_that_is_asked_of_a_job_that_does_not_run_is_pending() -> None:
    scene = waiting("")
    assert noted(scene) == [("NoteAsked", "mine")]
    status = asked(scene.view().job, scene.checkpoints[0])
    assert (status.phase, status.job_uid, status.id) == ("Pending", "u-1", "")
    change(scene, status.to_dict())
    assert noted(scene) == []


def test_a_checkpoint_that_waits_is_cut_once_its_job_runs() -> None:
    scene = running().checkpoint("mine")
    change(scene, {"jobUid": "u-1", "startTime": None})
    cut = advance(Moment(scene.view(), None, None, NOW)).status.cut
    assert cut is not None
    assert cut.name == "mine"


def test_a_job_is_not_cut_for_what_was_asked_of_an_earlier_one_of_its_name() -> None:
    scene = running().checkpoint("mine")
    change(scene, {"jobUid": "u-0", "startTime": None})
    assert advance(Moment(scene.view(), None, None, NOW)).status.cut is None
    assert noted(scene) == []


def test_a_cut_that_begins_at_once_is_written_down_once() -> None:
    scene = running().checkpoint("mine").cutting("mine", "Keep", "Requested")
    change(scene, {"id": "", "jobUid": ""})
    assert noted(scene) == [("NoteCut", "mine")]
