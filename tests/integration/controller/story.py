"""One job's story that touches every kind of write, told to an operator that something happens to."""

from tests.integration.controller.faults import Faults
from tests.integration.controller.world import World


async def tell(world: World, *lives: Faults) -> None:
    """A gang starts, is saved on demand, moves off a node, is suspended, resumed and ends.

    Operators with those faults live one after the other. Whatever they are, the end is the same.
    """
    world.start(world.operate(*lives))
    await world.submit("a", gpus=2, workers=2)
    await world.until_running_on("n1", "n1")
    await world.ask_for("mine")
    await world.until_ready("mine")
    await world.cordon("n1")
    await world.until_running_on("n2", "n2")
    await world.change("a", suspend=True)
    await world.until("Suspended")
    await world.change("a", suspend=False)
    await world.until_incarnation(3)
    world.end_programs("a")
    job = await world.until("Succeeded")
    assert world.gym.losses == [0] * 4
    assert (job.status.incarnation, job.status.failures, job.status.restarts) == (3, 0, 2)
    assert [c.ready for c in world.history.checkpoints()] == [True] * 3
