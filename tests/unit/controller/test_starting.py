"""What a job starts with that goes on from a checkpoint: its own, or another job's."""

from typing import Any

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.agent import Phase
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job_status import TrainingJobStatus
from ergosphere.controller.feasible import Feasible
from ergosphere.controller.fleet import job as planned
from ergosphere.controller.starting import arrival, placed

OLD = {"main": "img@sha256:old", "logger": "log@sha256:old"}
ARM = {"architecture": "arm64", "kernel": "6.18", "cpuFlags": "f"}
COOPERATIVE = {"mode": "Cooperative", "cooperative": {"directory": "/save"}}


def stored(uid: str, **status: Any) -> Checkpoint:
    ready = {"type": "Ready", "status": "True", "reason": "Stored", "lastTransitionTime": NOW.isoformat()}
    told = {"id": "ns/b/c-1", "jobUid": uid, "conditions": [ready], "images": OLD, "platform": ARM, **status}
    metadata = {"name": "b-1", "namespace": "ns", "uid": "c-1", "creationTimestamp": NOW.isoformat()}
    return Checkpoint.parse({"metadata": metadata, "spec": {"jobName": "b"}, "status": told})


def from_another(**spec: Any) -> Scene:
    """A new job that is to go on from a checkpoint of the job b."""
    scene = Scene().spec(restoreFrom={"name": "b-1"}, **spec)
    scene.checkpoints.append(stored("u-b"))
    return scene


def start(scene: Scene) -> TrainingJobStatus:
    view = scene.view()
    after = placed(view, view.job.status, ("n1",), NOW)
    assert after.restore_from == "ns/b/c-1"
    return after


def test_a_job_goes_on_from_its_own_checkpoint_with_all_images_of_that_time() -> None:
    scene = Scene()
    scene.checkpoints.append(stored("u-1"))
    assert start(scene).images == OLD


def test_of_another_jobs_images_a_job_runs_only_that_in_which_its_processes_were_frozen() -> None:
    assert start(from_another()).images == {"main": "img@sha256:old"}


def test_none_if_its_main_container_is_called_otherwise() -> None:
    scene = from_another()
    scene.body["spec"]["template"]["spec"]["containers"][0]["name"] = "train"
    assert start(scene).images == {}


def test_none_if_its_program_is_started_anew_with_what_the_other_saved() -> None:
    assert start(from_another(checkpoint=COOPERATIVE)).images == {}


def test_what_it_was_first_started_with_beside_is_pinned_then_and_kept() -> None:
    scene = from_another()
    first = start(scene).to_dict()
    images = (("main", "img@sha256:tag"), ("logger", "log@sha256:new"))
    scene.placed("n1", images=first["images"]).pod(images=images).report(Phase.RUNNING)
    arrived = arrival(scene.view(), NOW)
    assert arrived
    both = {"main": "img@sha256:old", "logger": "log@sha256:new"}
    assert arrived.images == both
    scene.status = {"images": both}
    assert start(scene).images == both


@pytest.mark.parametrize(
    ("scene", "platforms"),
    [(from_another(), {"arm64/6.18"}), (from_another(checkpoint=COOPERATIVE), set())],
    ids=["frozen", "saved by itself"],
)
def test_a_job_is_placed_where_the_checkpoint_of_another_can_be_restored(
    scene: Scene, platforms: set[str]
) -> None:
    assert planned(scene.view(), Feasible([]), (), NOW.timestamp()).platforms == platforms


def test_a_job_that_was_cut_itself_needs_what_it_was_cut_on() -> None:
    scene = from_another()
    scene.status = {"platform": ARM | {"architecture": "amd64"}}
    assert planned(scene.view(), Feasible([]), (), NOW.timestamp()).platforms == {"amd64/6.18"}
