"""What a job's conditions say, however large the job, and why it does not run."""

from datetime import datetime, timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.agent import Phase
from ergosphere.api.meta import Condition, condition
from ergosphere.api.training_job_status import TrainingJobStatus
from ergosphere.controller.conditions import Waiting, derived, uncreated


def status(scene: Scene, waiting: Waiting | None = None) -> TrainingJobStatus:
    """As it is written; the API server refuses what does not validate."""
    view = scene.view()
    written = derived(view, view.job.status, waiting, NOW)
    return TrainingJobStatus.model_validate(written.to_dict())


def said(scene: Scene, kind: str, waiting: Waiting | None = None) -> Condition:
    found = condition(status(scene, waiting).conditions, kind)
    assert found
    return found


def named(count: int) -> list[str]:
    return [f"{'node-of-a-rather-long-name-' * 8}{number:04}" for number in range(count)]


def test_the_nodes_of_a_job_are_named() -> None:
    scene = Scene().placed("n2", "n1", "n1")
    assert said(scene, "Placed").message == "on n1, n2"
    assert status(scene).nodes == "n1,n2"


def test_of_very_many_nodes_the_first_are_named_and_all_counted() -> None:
    nodes = named(1024)
    scene = Scene().placed(*nodes)
    first = ", ".join(nodes[:16])
    assert said(scene, "Placed").message == f"on 1024 nodes: {first}, ..."
    assert status(scene).nodes == f"1024 nodes: {first.replace(', ', ',')},..."


def test_a_message_that_is_too_long_is_cut_short() -> None:
    waiting = Waiting("GpusStillHeld", ", ".join(named(1024)))
    assert len(said(Scene(), "Placed", waiting).message) == 32768


def test_a_job_whose_worker_is_stuck_says_with_what() -> None:
    scene = Scene().placed("n1", "n2").report(Phase.WAITING, 0)
    assert (said(scene, "Running").reason, said(scene, "Running").message) == ("Starting", "")
    stuck = said(scene.pod(1, stuck="main: ImagePullBackOff: no such image"), "Running")
    assert stuck.status == "False"
    assert stuck.reason == "WorkerStuck"
    assert stuck.message == "rank 1 on n2: main: ImagePullBackOff: no such image"


def test_a_starting_job_one_of_whose_agents_cannot_be_reached_says_which_and_what_to_look_at() -> None:
    scene = Scene().placed("n1", "n2").report(Phase.WAITING, 0).pod(1, up=NOW - timedelta(seconds=60))
    for seconds, reason in ((59, "Starting"), (60, "WorkerSilent")):
        assert said(scene.unreached(1, seconds), "Running").reason == reason
    silent = said(scene, "Running")
    assert silent.status == "False"
    assert silent.message.startswith("rank 1 on n2: the agent of pod a-1-1 does not answer the operator")
    assert "network policies let the operator's namespace reach port 7600 in ns" in silent.message
    scene.waits.clear()
    assert (said(scene, "Running").reason, said(scene, "Running").message) == ("Starting", "")


@pytest.mark.parametrize("up", [None, NOW - timedelta(seconds=59)], ids=["not up", "up a moment ago"])
def test_an_agent_that_has_only_just_begun_is_not_called_silent(up: datetime | None) -> None:
    scene = Scene().placed("n1").pod(0, up=up).unreached(0, 600)
    assert said(scene, "Running").reason == "Starting"


def test_nor_is_one_that_is_not_reached_while_its_gang_runs() -> None:
    scene = Scene().placed("n1", ran=True).running().pod(0, up=NOW - timedelta(hours=1)).unreached(0, 600)
    assert said(scene, "Running").reason == "AllRanksRun"


def test_a_job_says_that_its_pods_are_refused_for_as_long_as_it_wants_them() -> None:
    scene = Scene().placed("n1")
    view = scene.view()
    scene.status = uncreated(view.job, view.job.status, "exceeded quota", NOW).to_dict()
    refused = said(scene, "PodsCreated")
    assert (refused.status, refused.reason, refused.message) == ("False", "FailedCreate", "exceeded quota")
    scene.status["placement"] = []
    assert (said(scene, "PodsCreated").reason, said(scene, "PodsCreated").message) == ("NotCreated", "")
