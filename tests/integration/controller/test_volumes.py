"""A job that uses a disk of its node: it stays there, and says why."""

from tests.integration.controller.world import World

from ergosphere.api.meta import condition

DATA = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}


async def test_a_job_starts_where_its_volume_is_and_does_not_leave_it(world: World) -> None:
    await world.add_local_volume("data", "n2")
    await world.submit("a", pod=DATA)
    await world.until_running_on("n2")
    await world.cordon("n2")

    def held() -> bool:
        return condition(world.job().status.conditions, "Movable") is not None

    await world.history.until(held, "a reason not to move")
    why = condition(world.job().status.conditions, "Movable")
    assert why
    expected = f"the volume of claim data cannot follow: it is on {world.node('n2')}"
    assert (why.status, why.reason, why.message) == ("False", "VolumeCannotFollow", expected)
    await world.until_told("VolumeCannotFollow", expected)
    await world.cordon("n2", cordoned=False)
    await world.history.until(lambda: not held(), "nothing to move for")
    job = await world.until("Running")
    assert (job.status.incarnation, job.status.cuts) == (1, 0)
