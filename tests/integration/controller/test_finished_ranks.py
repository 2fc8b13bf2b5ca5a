"""Gangs one of whose ranks has finished while the other runs on."""

import asyncio

from tests.integration.controller.kubelet import over
from tests.integration.controller.world import World

from ergosphere.api.meta import condition
from ergosphere.controller.resources import PODS

SEVERAL_TICKS = 0.5


async def half_done(world: World) -> None:
    """A gang on both nodes, saved once, whose rank 0 has finished."""
    await world.submit("a", gpus=4, workers=2)
    await world.until_running_on("n1", "n2")
    await world.ask_for("mine")
    await world.until_ready("mine")
    await world.history.until(lambda: world.job().status.cut is None, "the cut over")
    world.gym.running(world.job().uid)[0].finish(0)
    pods = world.history.objects[PODS]
    await world.history.until(lambda: over(pods["a-1-0"]), "rank 0 over")


async def test_it_runs_and_says_that_a_rank_has_ended(world: World) -> None:
    await half_done(world)
    await asyncio.sleep(SEVERAL_TICKS)
    running = condition(world.job().status.conditions, "Running")
    assert running
    assert (running.status, running.reason) == ("True", "SomeRanksEnded")
    assert world.job().status.phase == "Running"
    world.end_programs("a")
    await world.until("Succeeded")


async def test_it_runs_on_when_the_pod_of_that_rank_is_deleted(world: World) -> None:
    await half_done(world)
    await world.history.until(lambda: world.job().status.finished_ranks == [0], "rank 0 remembered")
    await world.kube.delete(PODS, world.name, "a-1-0", {})
    await asyncio.sleep(SEVERAL_TICKS)
    job = world.job()
    assert (job.status.phase, job.status.incarnation, job.status.restarts) == ("Running", 1, 0)
    assert "a-1-0" not in world.history.objects[PODS]
    world.end_programs("a")
    await world.until("Succeeded")


async def test_it_is_suspended_without_a_cut_and_goes_on_from_its_last_checkpoint(world: World) -> None:
    await half_done(world)
    await world.change("a", suspend=True)
    await world.until("Suspended")
    await world.until_told(
        "LeftUncut", "rank 0 has ended, so the job leaves without a cut: it will go on from checkpoint mine"
    )
    await world.until_empty(PODS)
    await world.change("a", suspend=False)
    job = await world.until_incarnation(2)
    saved = world.history.checkpoint("mine")
    assert saved
    assert job.status.restore_from == saved.status.id
    assert job.status.failures == 0
    assert job.status.lost_seconds


async def test_it_stays_on_a_node_that_is_being_emptied_and_says_why(world: World) -> None:
    await half_done(world)
    await world.add_node("n3")
    await world.cordon("n2")
    await world.until_told("ProgramEnded", "rank 0 has ended, so the job cannot be cut (Drain)")
    assert world.nodes_of() == ["n1", "n2"]
    world.end_programs("a")
    await world.until("Succeeded")


async def test_a_checkpoint_of_it_fails(world: World) -> None:
    await half_done(world)
    await world.ask_for("late")
    await world.until_failed("late")
    await world.history.until(lambda: world.job().status.cut is None, "the cut given up")
    assert world.job().status.phase == "Running"
