"""Jobs and checkpoints that share names with others: nobody's work is taken for somebody else's."""

from tests.integration.controller.world import World

from ergosphere.controller.resources import PODS


async def test_checkpoints_of_a_deleted_namesake_are_not_the_jobs_own(world: World) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    await world.cordon("n1")
    await world.until_running_on("n2")
    world.kubelet.grace_seconds = 0.1
    await world.delete("a")
    await world.until_empty(PODS)
    await world.submit("a")
    await world.until_running_on("n2")
    assert world.job().status.restore_from == ""
    await world.cordon("n1", cordoned=False)
    await world.cordon("n2")
    await world.until_running_on("n1")
    assert world.gym.losses == [0, 0]
