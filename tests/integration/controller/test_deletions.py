"""Checkpoints that are deleted: their data goes, but not while a job needs it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.controller.operators import CONFIG
from tests.integration.controller.world import World

from ergosphere.controller.cache import Cache
from ergosphere.controller.collecting import Collecting
from ergosphere.controller.events import Recorder
from ergosphere.controller.resources import CHECKPOINTS, PODS
from ergosphere.workload import errand
from ergosphere.workload.collect import COLLECT_POD


async def saved(world: World, name: str = "mine", job: str = "a") -> str:
    await world.ask_for(name, job=job)
    return (await world.until_ready(name)).status.id


async def delete(world: World, name: str = "mine") -> None:
    await world.kube.delete(CHECKPOINTS, world.name, name, {})


async def until_gone(world: World, name: str = "mine") -> None:
    await world.history.until(lambda: not world.history.checkpoint(name), f"{name} gone")


async def test_the_data_goes_before_the_object(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await saved(world)
    await delete(world)
    await until_gone(world)
    assert world.shelf.committed == set()


async def test_a_checkpoint_that_outlived_its_job_can_be_deleted(world: World) -> None:
    world.kubelet.grace_seconds = 0.1
    await world.submit("a")
    await world.until("Running")
    await saved(world)
    await world.delete("a")
    await world.history.until(lambda: not world.history.job("a"), "a gone")
    await delete(world)
    await until_gone(world)
    assert world.shelf.committed == set()


async def test_a_suspended_job_keeps_the_checkpoint_that_it_goes_on_from(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.change("a", suspend=True)
    await world.until("Suspended")
    (cut,) = world.cuts()
    await delete(world, cut.name)
    await world.change("a", suspend=False)
    await world.until("Running")
    await until_gone(world, cut.name)
    assert world.gym.losses == [0]


async def test_a_checkpoint_deleted_while_it_is_being_made_still_serves_the_move(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    world.trouble.hold("StoreSave")
    await world.cordon("n1")
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    (cut,) = world.cuts()
    await delete(world, cut.name)
    world.trouble.release("StoreSave")
    await world.until_running_on("n2")
    await until_gone(world, cut.name)
    assert world.gym.losses == [0]


async def test_a_checkpoint_that_another_job_was_started_from_is_kept_until_that_has_one_of_its_own(
    world: World,
) -> None:
    await world.submit("a")
    await world.until("Running")
    await saved(world)
    world.trouble.hold("StoreFetch")
    await world.submit("b", restoreFrom={"name": "mine"})
    await world.history.until(lambda: "StoreFetch" in world.trouble.reached, "the image being fetched")
    await delete(world)
    await world.history.until(lambda: world.history.checkpoint("mine").deleted, "mine being deleted")
    world.trouble.release("StoreFetch")
    await world.until("Running", job="b")
    await asyncio.sleep(0.5)
    assert world.history.checkpoint("mine")
    await saved(world, "own", "b")
    await until_gone(world)


async def test_a_checkpoint_goes_when_its_time_is_over_also_after_its_job(world: World) -> None:
    world.kubelet.grace_seconds = 0.1
    await world.submit("a", checkpoint={"intervalSeconds": 1, "ttlSeconds": 1})
    await world.until("Running")
    await world.history.until(lambda: len(world.cuts()) > 1, "a second checkpoint")
    await until_gone(world, world.cuts()[0].name)
    await world.change("a", checkpoint={"intervalSeconds": 0, "ttlSeconds": None})
    await world.history.until(lambda: world.job().status.cut is None, "no cut under way")
    await world.delete("a")
    await world.history.until(lambda: not world.history.job("a"), "a gone")
    await world.until_empty(CHECKPOINTS)
    assert world.shelf.committed == set()


async def test_a_pinned_checkpoint_outlives_its_time(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await saved(world)
    await world.kube.merge(CHECKPOINTS, world.name, "mine", {"spec": {"pinned": True, "ttlSeconds": 1}})
    await saved(world, "other")
    await world.kube.merge(CHECKPOINTS, world.name, "other", {"spec": {"ttlSeconds": 1}})
    await saved(world, "newest")
    await until_gone(world, "other")
    assert world.history.checkpoint("mine").ready


async def test_a_checkpoint_goes_also_when_no_node_takes_the_pod_that_deletes_its_data(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "_MARGIN", timedelta(seconds=1))
    checkpoint = await saved_and_over(world)
    await world.cordon("n1")
    await world.cordon("n2")
    await delete(world)
    await until_gone(world)
    message = f"the data of {checkpoint} could not be deleted and stays in the store"
    await world.until_told("CheckpointDataLeft", message)
    pods = world.history.objects[PODS]
    await world.history.until(lambda: not any("forget" in name for name in pods), "no pod of it is left")
    assert checkpoint in world.shelf.committed


async def saved_and_over(world: World) -> str:
    """A checkpoint of a job that has ended; returns its id."""
    await world.submit("a")
    await world.until("Running")
    checkpoint = await saved(world)
    world.end_programs("a")
    await world.until("Succeeded")
    return checkpoint


async def test_garbage_is_collected_once_a_day_where_checkpoints_are(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await saved(world)
    cache = Cache()
    world.start(cache.run(world.kube))
    collecting = Collecting(world.kube, cache, Recorder(world.kube), CONFIG.pods)
    pod = lambda: cache.objects(PODS).get((world.name, COLLECT_POD))  # noqa: E731
    phase = lambda: (pod() or {}).get("status", {}).get("phase")  # noqa: E731
    later = datetime.now(UTC)
    await until(lambda: cache.synced)

    await collecting.look(later)
    assert not await world.kube.get(PODS, world.name, COLLECT_POD)
    await collecting.look(later + timedelta(days=2))
    await until(lambda: phase() == "Succeeded")
    await collecting.look(later + timedelta(hours=23))
    assert await world.kube.get(PODS, world.name, COLLECT_POD)
    await collecting.look(later + timedelta(days=2))
    await until(lambda: pod() is None)


async def test_garbage_is_collected_also_after_the_node_that_did_it_was_lost(world: World) -> None:
    await saved_and_over(world)
    cache = Cache()
    world.start(cache.run(world.kube))
    collecting = Collecting(world.kube, cache, Recorder(world.kube), CONFIG.pods)
    pod = lambda: cache.objects(PODS).get((world.name, COLLECT_POD))  # noqa: E731
    later = datetime.now(UTC) + timedelta(days=2)
    await until(lambda: cache.synced)
    world.silence("n1")
    world.silence("n2")

    await collecting.look(later)
    await until(lambda: (pod() or {"spec": {}})["spec"].get("nodeName"))
    await collecting.look(later)
    await until(lambda: pod() is None)
    await world.until_told(
        "CollectionFailed", "collecting garbage in the checkpoint store failed; it is tried again"
    )


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_job_deleted_in_the_middle_of_a_cut_leaves_no_unfinished_checkpoint(world: World) -> None:
    world.kubelet.grace_seconds = 0.1
    await world.submit("a")
    await world.until("Running")
    world.trouble.hold("StoreSave")
    await world.ask_for("mine")
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    await world.delete("a")
    await world.until_failed("mine")
