"""Cuts of a running job, and where it goes on: nothing planned loses a step."""

from datetime import UTC, datetime

from tests.integration.controller.world import World

from ergosphere.agent.errors import WorkFailed
from ergosphere.api.meta import Condition, condition
from ergosphere.controller.resources import PODS


async def test_a_cordoned_node_is_left_without_losing_a_step(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    await world.cordon("n1")
    await world.until_running_on("n2")
    assert world.gym.losses == [0]


async def test_a_gang_moves_as_a_whole(world: World) -> None:
    await world.submit("a", gpus=2, workers=2)
    await world.until_running_on("n1", "n1")
    await world.cordon("n1")
    await world.until_running_on("n2", "n2")
    assert world.gym.losses == [0, 0]


async def test_a_suspended_job_frees_its_gpus_and_goes_on_where_it_was_cut(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.change("a", suspend=True)
    job = await world.until("Suspended")
    assert job.status.placement == []
    await world.until_empty(PODS)
    await world.change("a", suspend=False)
    await world.until("Running")
    assert world.gym.losses == [0]


async def test_a_checkpoint_on_demand_leaves_the_job_running(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.ask_for("mine")
    made = await world.until_ready("mine")
    job = await world.until("Running")
    assert job.status.incarnation == 1
    assert (made.status.ranks, made.status.bytes) == (1, 1000)
    assert made.status.stall_ms
    assert job.status.last_checkpoint
    assert job.status.last_checkpoint.name == "mine"


async def test_another_job_starts_from_a_checkpoint(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.ask_for("mine")
    made = await world.until_ready("mine")
    await world.submit("b", restoreFrom={"name": "mine"})
    await world.until("Running", job="b")
    (program,) = world.gym.running(world.job("b").uid)
    assert program.steps >= world.shelf.images[made.status.id][0]


async def test_a_job_waits_for_the_checkpoint_that_it_is_to_start_from(world: World) -> None:
    await world.submit("b", restoreFrom={"name": "mine"})
    await world.until("Pending", job="b")
    placed = condition(world.job("b").status.conditions, "Placed")
    assert placed
    assert placed.reason == "CheckpointNotReady"
    await world.submit("a")
    await world.until("Running")
    await world.ask_for("mine")
    await world.until("Running", job="b")


async def test_a_pod_that_is_deleted_is_cut_before_it_ends(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.kube.delete(PODS, world.name, "a-1-0", {})
    await world.until_incarnation(2)
    assert world.gym.losses == [0]
    assert world.job().status.failures == 0


async def test_a_pod_of_a_gang_that_is_deleted_takes_the_gang_with_it(world: World) -> None:
    await world.submit("a", gpus=2, workers=2)
    await world.until("Running")
    await world.kube.delete(PODS, world.name, "a-1-1", {})
    await world.until_incarnation(2)
    assert world.gym.losses == [0, 0]


async def test_a_cut_that_fails_leaves_the_job_running(world: World) -> None:
    await world.submit("a", gpus=2, workers=2)
    await world.until("Running")
    world.trouble.broken["LauncherDump"] = WorkFailed("DumpFailed", "a device file is open")
    await world.ask_for("mine")
    failed = await world.until_failed("mine")
    why = condition(failed.status.conditions, "Failed")
    assert why
    assert (why.reason, why.message) == ("DumpFailed", "a device file is open")
    job = await world.until("Running")
    assert job.status.incarnation == 1
    assert len(world.gym.running(job.uid)) == 2


async def test_a_move_that_fails_is_tried_again(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    world.trouble.broken["StoreSave"] = WorkFailed("StoreFull", "the store is full")
    await world.cordon("n1")
    await world.history.until(lambda: any(c.failed for c in world.cuts()), "a failed cut")
    await world.until_running_on("n1")
    del world.trouble.broken["StoreSave"]
    await world.until_running_on("n2")
    assert world.gym.losses == [0]


async def test_checkpoints_at_intervals_are_kept_as_many_as_asked_for(world: World) -> None:
    await world.submit("a", checkpoint={"intervalSeconds": 1, "keep": 1})
    await world.history.until(lambda: any(c.ready for c in world.cuts()), "a first checkpoint")
    first = world.cuts()[0].name
    await world.history.until(lambda: world.job().status.cuts == 3, "three cuts")
    await world.history.until(lambda: not world.history.checkpoint(first), f"{first} deleted")
    assert len(world.shelf.committed) <= 2


async def test_a_job_moves_where_its_owner_wants_it_and_stays_there(world: World) -> None:
    await world.add_node("n3")
    await world.submit("a", gpus=2, workers=2)
    await world.until_running_on("n1", "n1")
    await world.change("a", migration={"incarnation": 1, "nodes": [world.node("n3")]})
    await world.until_running_on("n3", "n3")
    await world.history.until(lambda: _migrated(world).status == "True", "the wish fulfilled")
    assert world.gym.losses == [0, 0]
    assert world.job().status.incarnation == 2


async def test_a_job_that_cannot_move_runs_on_until_there_is_room(world: World) -> None:
    await world.submit("a", gpus=4)
    await world.until_running_on("n1")
    await world.submit("b", gpus=4)
    await world.until_running_on("n2", job="b")
    await world.change("a", migration={"incarnation": 1})
    await world.history.until(lambda: _migrated(world).reason == "NoRoomToMigrate", "word of it")
    world.end_programs("b")
    await world.until_running_on("n2")
    assert world.gym.losses == [0]


def _migrated(world: World) -> Condition:
    unknown = Condition(
        type="Migrated", status="Unknown", reason="None", last_transition_time=datetime.now(UTC)
    )
    return condition(world.job().status.conditions, "Migrated") or unknown
