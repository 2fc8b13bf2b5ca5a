"""The operator is killed at each of its writes, once before and once after it: the end is the same."""

import asyncio
from itertools import count

import pytest
from tests.integration.controller.conftest import MakeWorld
from tests.integration.controller.faults import Kill
from tests.integration.controller.story import tell

_AT_ONCE = 8


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
async def test_killed_at_each_of_its_writes(make_world: MakeWorld, sent: bool) -> None:
    """One run a write, and as many as there are: a run that ends without a kill was the last."""
    failures: dict[str, BaseException] = {}
    numbers = count()
    done = asyncio.Event()

    async def runs() -> None:
        while not done.is_set():
            kill = Kill(next(numbers), sent=sent)
            try:
                async with make_world() as world:
                    await tell(world, kill)
            except AssertionError as error:
                failures[kill.struck] = error
            if not kill.struck:
                done.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(runs())
    assert failures == {}


async def test_killed_after_every_write(make_world: MakeWorld) -> None:
    """No operator lives to do more than one thing."""
    async with make_world() as world:
        kills = [Kill(0, sent=True) for _ in range(200)]
        await tell(world, *kills)
        assert sum(bool(kill.struck) for kill in kills) > 20
