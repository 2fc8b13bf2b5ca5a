"""The operator is killed at each of its writes, once before and once after it: the end is the same."""

import asyncio
from itertools import count

import pytest
from tests.integration.controller.conftest import MakeWorld
from tests.integration.controller.faults import Kill, KillAmidPods
from tests.integration.controller.story import tell

from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.resources import PODS

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


async def test_killed_when_some_pods_of_a_gang_exist(make_world: MakeWorld) -> None:
    """They are created at the same time, so it may be any of them."""
    created: list[str] = []

    def observe(kind: Resource, event: str, obj: Object) -> None:
        if kind is PODS and event == "ADDED":
            created.append(obj["metadata"]["name"])

    async with make_world() as world:
        world.history.observers.append(observe)
        world.start(world.operate(KillAmidPods(1, 3)))
        await world.submit("a", workers=4)
        await world.until_running_on("n1", "n1", "n1", "n1")
        assert set(created[:2]) == {"a-1-1", "a-1-3"}
        assert (len(created), world.job().status.incarnation) == (4, 1)
