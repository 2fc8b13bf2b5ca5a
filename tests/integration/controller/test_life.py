"""A job from its creation to its end, against a real API server."""

import pytest
from tests.integration.controller.kubelet import over
from tests.integration.controller.world import World

from ergosphere.api.meta import condition
from ergosphere.controller.resources import BUDGETS, CHECKPOINTS, PODS, SECRETS


async def test_a_job_runs_to_completion(world: World) -> None:
    await world.submit("a", gpus=4)
    await world.until("Running")
    world.end_programs("a")
    job = await world.until("Succeeded")
    assert job.status.incarnation == 1
    assert job.status.placement == []


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
async def test_what_a_job_printed_last_can_still_be_read(world: World, code: int, phase: str) -> None:
    await world.submit("a", workers=2, backoffLimit=0)
    await world.until("Running")
    world.end_programs("a", code)
    await world.until(phase)
    pods = world.history.objects[PODS]
    await world.history.until(lambda: all(over(pod) for pod in pods.values()), "its pods over")
    assert sorted(pods) == ["a-1-0", "a-1-1"]
    assert not any("deletionTimestamp" in pod["metadata"] for pod in pods.values())
    await world.until_empty(BUDGETS)


async def test_a_gang_starts_as_a_whole_and_runs_to_completion(world: World) -> None:
    await world.submit("a", gpus=3, workers=2)
    await world.until_running_on("n1", "n2")
    assert len(world.gym.running(world.job().uid)) == 2
    world.end_programs("a")
    await world.until("Succeeded")


async def test_a_gang_that_does_not_fit_has_no_pod_at_all(world: World) -> None:
    await world.submit("a", gpus=3, workers=3)
    await world.until("Pending")
    placed = condition(world.job().status.conditions, "Placed")
    assert placed
    assert placed.reason == "FleetTooSmall"
    assert await world.kube.objects(PODS, world.name) == []


async def test_a_job_waits_for_gpus_and_starts_when_they_are_free(world: World) -> None:
    await world.submit("a", gpus=3, workers=2)
    await world.until("Running")
    await world.submit("b", gpus=2)
    waiting = await world.until("Pending", job="b")
    placed = condition(waiting.status.conditions, "Placed")
    assert placed
    assert placed.reason == "NoRoom"
    world.end_programs("a")
    await world.until("Running", job="b")


async def test_a_finished_job_is_deleted_after_its_time_and_leaves_nothing(world: World) -> None:
    await world.submit("a", ttlSecondsAfterFinished=0, checkpoint={"deletionPolicy": "Delete"})
    await world.until("Running")
    await world.ask_for("mine")
    await world.until_ready("mine")
    world.end_programs("a")
    await world.history.until(lambda: not world.history.job("a"), "a deleted")
    await world.until_empty(PODS, SECRETS, BUDGETS)


async def test_deleting_a_running_job_leaves_nothing_but_the_checkpoints_to_retain(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.ask_for("mine")
    await world.until_ready("mine")
    world.kubelet.grace_seconds = 0.1
    await world.delete("a")
    await world.until_empty(PODS, SECRETS, BUDGETS)
    assert [c["metadata"]["name"] for c in await world.kube.objects(CHECKPOINTS, world.name)] == ["mine"]


async def test_a_job_that_fails_too_often_is_given_up(world: World) -> None:
    await world.submit("a", backoffLimit=1)
    await world.until("Running")
    world.end_programs("a", code=3)
    await world.until_incarnation(2)
    world.end_programs("a", code=3)
    job = await world.until("Failed")
    assert job.status.failures == 2
    failed = condition(job.status.conditions, "Failed")
    assert failed
    assert failed.reason == "BackoffLimitExceeded"
    await world.until_empty_of_running_pods()
    pods = world.history.objects[PODS]
    await world.history.until(lambda: list(pods) == ["a-2-0"], "the log of the last failure alone left")


async def test_a_failed_program_goes_on_from_its_last_checkpoint(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.ask_for("mine")
    saved = await world.until_ready("mine")
    world.end_programs("a", code=1)
    job = await world.until_incarnation(2)
    assert job.status.restore_from == saved.status.id
    assert job.status.failures == 1
    await world.until("Running")
    assert over(world.history.objects[PODS]["a-1-0"]), "its log can be read while the job goes on"


async def test_a_job_past_its_deadline_fails_and_frees_its_gpus(world: World) -> None:
    world.kubelet.grace_seconds = 0.1
    await world.submit("a", activeDeadlineSeconds=1)
    job = await world.until("Failed")
    failed = condition(job.status.conditions, "Failed")
    assert failed
    assert failed.reason == "DeadlineExceeded"
    await world.until_empty_of_running_pods()


async def test_the_deadline_of_a_suspended_job_begins_anew(world: World) -> None:
    await world.submit("a", activeDeadlineSeconds=600)
    started = (await world.until("Running")).status.start_time
    await world.change("a", suspend=True)
    assert (await world.until("Suspended")).status.start_time is None
    await world.change("a", suspend=False)
    again = (await world.until("Running")).status.start_time
    assert started
    assert again
    assert again > started


async def test_a_job_that_ends_in_the_middle_of_a_cut_leaves_no_unfinished_checkpoint(world: World) -> None:
    await world.submit("a", checkpoint={"intervalSeconds": 1})
    await world.until("Running")
    world.trouble.hold("StoreSave")
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    world.end_programs("a")
    await world.until("Succeeded")
    world.trouble.release("StoreSave")
    await world.until_settled(world.cuts()[0].name)
