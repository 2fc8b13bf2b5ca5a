"""Nodes that are lost and checkpoints that are damaged: the job goes on from the last good checkpoint."""

import asyncio

from tests.integration.controller.conftest import MakeWorld
from tests.integration.controller.kubelet import over
from tests.integration.controller.world import World

from ergosphere.api.meta import condition
from ergosphere.controller.resources import NODES, PODS

SEVERAL_TICKS = 0.5


def ended(world: World) -> list[str]:
    """The pods in which no program runs any more."""
    return [name for name, pod in world.history.objects[PODS].items() if over(pod)]


async def saved(world: World, name: str) -> str:
    """A checkpoint of the job a; its id in the store."""
    await world.ask_for(name)
    return (await world.until_ready(name)).status.id


async def test_a_job_on_a_lost_node_goes_on_elsewhere_from_its_last_checkpoint(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    checkpoint = await saved(world, "mine")
    await world.lose("n1")
    await world.until_running_on("n2")
    assert world.job().status.restore_from == checkpoint
    assert world.job().status.failures == 0


async def test_a_program_that_fails_with_a_node_is_not_at_fault_however_late_its_loss_is_known(
    make_world: MakeWorld,
) -> None:
    async with make_world() as world:
        operator = world.start(world.operate())
        await world.submit("a", gpus=4, workers=2)
        await world.until_running_on("n1", "n2")
        world.silence("n1")
        world.end_programs("a", code=1)
        await world.history.until(lambda: ended(world) == ["a-1-1"], "the failure reported")
        await asyncio.sleep(SEVERAL_TICKS)
        operator.cancel()
        await asyncio.wait({operator})
        world.start(world.operate())
        await world.lose("n1")
        await world.add_node("n3")
        await world.until_running_on("n2", "n3")
        assert world.job().status.failures == 0


async def test_a_program_that_fails_among_others_that_are_there_is_at_fault_at_once(world: World) -> None:
    await world.submit("a", gpus=4, workers=2)
    await world.until_running_on("n1", "n2")
    world.gym.running(world.job().uid)[1].finish(1)
    await world.until_incarnation(2)
    assert world.job().status.failures == 1


async def test_what_is_left_of_the_job_on_a_node_that_comes_back_is_ended(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    await world.lose("n1")
    await world.until_running_on("n2")
    await world.find("n1")
    await world.history.until(lambda: set(world.history.objects[PODS]) == {"a-2-0"}, "the old pod gone")
    await world.until_running_on("n2")
    assert world.job().status.incarnation == 2


async def test_a_job_can_leave_the_node_that_it_fled_to_while_the_lost_one_is_away(world: World) -> None:
    await world.add_node("n3")
    await world.submit("a")
    await world.until_running_on("n1")
    await world.lose("n1")
    await world.until_running_on("n2")
    await world.cordon("n2")
    await world.until_running_on("n3")


async def test_a_node_that_is_removed_with_its_pods_is_a_lost_one(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    checkpoint = await saved(world, "mine")
    await world.lose("n1")
    await world.kube.delete(NODES, "", world.node("n1"), {})
    await world.kube.delete(PODS, world.name, "a-1-0", {"gracePeriodSeconds": 0})
    await world.until_running_on("n2")
    assert world.job().status.restore_from == checkpoint


async def test_a_damaged_checkpoint_is_marked_and_the_one_before_is_used(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    first, second = await saved(world, "first"), await saved(world, "second")
    world.shelf.damaged.add(second)
    world.end_programs("a", code=1)
    await world.history.until(lambda: world.job().status.restore_from == first, "restored from the first")
    await world.until("Running")
    marked = world.history.checkpoint("second")
    assert marked
    assert not marked.ready
    why = condition(marked.status.conditions, "Failed")
    assert why
    assert why.reason == "CheckpointCorrupt"


async def test_a_checkpoint_that_was_asked_for_and_is_damaged_is_not_made_again(world: World) -> None:
    await world.submit("a")
    await world.until("Running")
    world.shelf.damaged.add(await saved(world, "mine"))
    world.end_programs("a", code=1)
    await world.until_incarnation(3)
    await saved(world, "next")
    assert world.history.checkpoint("mine").failed


async def test_a_node_lost_in_the_middle_of_a_cut_leaves_no_unfinished_checkpoint(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    world.trouble.hold("StoreSave")
    await world.ask_for("mine")
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    await world.lose("n1")
    await world.until_failed("mine")
    await world.until_running_on("n2")
