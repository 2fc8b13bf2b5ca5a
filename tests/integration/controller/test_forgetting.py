"""Checkpoints that are deleted in a namespace that takes no pod to delete their data."""

import asyncio

from tests.integration.controller.test_deletions import delete, saved_and_over, until_gone
from tests.integration.controller.test_refusals import NAMESPACES, enforce
from tests.integration.controller.world import World


async def test_the_data_waits_for_a_pod_that_is_refused_for_now(world: World) -> None:
    await saved_and_over(world)
    await enforce(world, "restricted")
    await delete(world)
    await asyncio.sleep(1)
    assert world.history.checkpoint("mine")
    await enforce(world, None)
    await until_gone(world)
    assert world.shelf.committed == set()


async def test_a_namespace_that_is_being_deleted_does_not_wait_for_the_data(world: World) -> None:
    checkpoint = await saved_and_over(world)
    await world.kube.delete(NAMESPACES, "", world.name, {})
    await delete(world)
    await until_gone(world)
    assert checkpoint in world.shelf.committed
