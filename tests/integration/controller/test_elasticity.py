"""Jobs that save their own state: they come back with as many workers as there is room for."""

from typing import Any

from tests.integration.controller.world import World

from ergosphere.api.checkpoint import CheckpointReason
from ergosphere.controller.resources import PODS

SAVES: dict[str, Any] = {"mode": "Cooperative", "cooperative": {"directory": "/state"}}


def worlds(world: World) -> list[str]:
    """What each pod of the job believes the number of workers to be."""
    pods = [p["spec"]["containers"][0]["env"] for p in world.history.objects[PODS].values()]
    return [v["value"] for env in pods for v in env if v["name"] == "WORLD_SIZE"]


async def test_a_job_whose_owner_wants_other_workers_is_cut_and_comes_back_with_them(world: World) -> None:
    await world.submit("a", workers=2, checkpoint=SAVES)
    await world.until_running_on("n1", "n1")
    await world.change("a", workers=3)
    await world.until_running_on("n1", "n1", "n1")
    await world.change("a", workers=1)
    job = await world.until_incarnation(3)
    assert world.nodes_of() == ["n1"]
    assert [c.spec.reason for c in world.cuts()] == [CheckpointReason.RESIZE] * 2
    assert [c.status.ranks for c in world.cuts()] == [2, 3]
    assert worlds(world) == ["1"]
    assert (job.status.failures, set(world.gym.losses)) == (0, {0})


async def test_a_job_that_saves_its_own_state_is_saved_and_goes_on_like_any_other(world: World) -> None:
    await world.submit("a", gpus=2, workers=2, checkpoint=SAVES)
    await world.until_running_on("n1", "n1")
    await world.ask_for("mine")
    made = await world.until_ready("mine")
    assert (made.status.platform, made.status.stall_ms) == (None, None)
    await world.until_incarnation(2)
    assert world.nodes_of() == ["n1", "n1"]
    await world.cordon("n1")
    await world.until_running_on("n2", "n2")
    assert set(world.gym.losses) == {0}


async def test_a_single_worker_that_saves_its_own_state_stays_where_it_is(world: World) -> None:
    await world.submit("a", checkpoint=SAVES)
    await world.until("Running")
    await world.ask_for("mine")
    made = await world.until_ready("mine")
    assert made.status.stall_ms
    job = await world.until("Running")
    assert job.status.incarnation == 1


async def test_a_drained_node_takes_workers_from_an_elastic_job_that_finds_no_room_for_all(
    world: World,
) -> None:
    elastic = {"minWorkers": 1, "maxWorkers": 4}
    await world.submit("wall", gpus=2)
    await world.until("Running", job="wall")
    await world.submit("a", gpus=1, workers=4, elasticity=elastic, checkpoint=SAVES)
    await world.until("Running")
    assert len(world.nodes_of()) == 4
    node = world.nodes_of()[0]
    await world.cordon(node)
    await world.until_incarnation(2)
    assert node not in world.nodes_of()
    assert len(world.nodes_of()) < 4
    assert worlds(world).count(str(len(world.nodes_of()))) == len(world.nodes_of())


async def test_a_job_that_lost_workers_with_its_node_goes_on_with_fewer(world: World) -> None:
    elastic = {"minWorkers": 2, "maxWorkers": 6}
    await world.submit("a", workers=6, elasticity=elastic, checkpoint=SAVES)
    await world.until("Running")
    await world.ask_for("mine")
    checkpoint = (await world.until_ready("mine")).status.id
    await world.until_incarnation(2)
    lost = world.nodes_of()[0]
    await world.lose(lost)
    job = await world.until_incarnation(3)
    assert job.status.restore_from == checkpoint
    assert len(world.nodes_of()) == 4
    assert lost not in world.nodes_of()
