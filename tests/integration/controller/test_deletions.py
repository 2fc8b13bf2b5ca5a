"""Checkpoints that are deleted: their data goes, but not while a job needs it."""

from tests.integration.controller.world import World

from ergosphere.controller.resources import CHECKPOINTS


async def saved(world: World, name: str = "mine") -> str:
    await world.ask_for(name)
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


async def test_a_checkpoint_deleted_while_another_job_starts_from_it_is_kept_until_it_runs(
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
    await until_gone(world)


async def test_a_job_deleted_in_the_middle_of_a_cut_leaves_no_unfinished_checkpoint(world: World) -> None:
    world.kubelet.grace_seconds = 0.1
    await world.submit("a")
    await world.until("Running")
    world.trouble.hold("StoreSave")
    await world.ask_for("mine")
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    await world.delete("a")
    await world.until_failed("mine")
