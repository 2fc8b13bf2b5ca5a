"""What becomes of a job's checkpoints, made and asked for, when the job is deleted."""

import asyncio

from tests.integration.controller.world import World

from ergosphere.api.meta import condition
from ergosphere.controller.resources import CHECKPOINTS


async def saved_and_suspended(world: World, policy: str) -> None:
    """A job with a checkpoint that was asked for, and one that the operator made of itself."""
    world.kubelet.grace_seconds = 0.1
    await world.submit("a", checkpoint={"deletionPolicy": policy})
    await world.until("Running")
    await world.ask_for("mine")
    await world.until_ready("mine")
    await world.change("a", suspend=True)
    await world.until("Suspended")


async def until_owners(world: World, number: int) -> None:
    def there() -> bool:
        return all(len(c.metadata.owner_references) == number for c in world.history.checkpoints())

    await world.history.until(there, f"{number} owners of every checkpoint")


async def delete(world: World) -> None:
    await world.delete("a")
    await world.history.until(lambda: not world.history.job("a"), "a gone")


async def test_checkpoints_outlive_a_job_whose_policy_was_changed_to_retain(world: World) -> None:
    await saved_and_suspended(world, "Delete")
    await until_owners(world, 1)
    await world.change("a", checkpoint={"deletionPolicy": "Retain"})
    await until_owners(world, 0)
    await delete(world)
    await asyncio.sleep(1)
    assert len(world.history.checkpoints()) == len(world.shelf.committed) == 2


async def test_checkpoints_go_with_a_job_whose_policy_was_changed_to_delete(world: World) -> None:
    await saved_and_suspended(world, "Retain")
    await until_owners(world, 0)
    await world.change("a", checkpoint={"deletionPolicy": "Delete"})
    await until_owners(world, 1)
    await delete(world)
    await world.until_empty(CHECKPOINTS)
    assert world.shelf.committed == set()


async def asked_while_suspended(world: World) -> None:
    await world.submit("a", suspend=True)
    await world.until("Suspended")
    await world.ask_for("mine")

    def pending() -> bool:
        found = world.history.checkpoint("mine")
        return found is not None and found.status.phase == "Pending"

    await world.history.until(pending, "mine Pending")


async def test_a_checkpoint_that_is_asked_of_a_suspended_job_is_made_once_it_runs(world: World) -> None:
    await asked_while_suspended(world)
    await world.change("a", suspend=False)
    await world.until_ready("mine")


async def test_a_checkpoint_asked_of_a_deleted_job_fails_and_no_job_of_its_name_is_cut_for_it(
    world: World,
) -> None:
    await asked_while_suspended(world)
    await delete(world)
    await world.submit("a")
    failed = condition((await world.until_failed("mine")).status.conditions, "Failed")
    assert failed
    assert (failed.reason, failed.message) == ("JobDeleted", "the job was deleted before it could be cut")
    await world.until("Running")
    await world.ask_for("other")
    await world.until_ready("other")
    assert len(world.shelf.committed) == 1
