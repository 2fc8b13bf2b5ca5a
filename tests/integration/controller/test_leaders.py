"""Two operators at once: one writes."""

import asyncio

import pytest
from tests.integration.controller.conftest import MakeWorld
from tests.integration.controller.faults import Faults

from ergosphere.controller import leader
from ergosphere.controller.kube import Kube, Object
from ergosphere.controller.leader import Leadership
from ergosphere.controller.resources import LEASES


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "DURATION_SECONDS", 3)
    monkeypatch.setattr(leader, "_RENEW_SECONDS", 1.0)


class Partitioned(Kube):
    """A connection that can be cut: requests then get no answer until their own time is out."""

    def __init__(self, kube: Kube) -> None:
        super().__init__(kube._api)
        self.connected = True

    async def _call(self, *arguments: object, **more: object) -> Object:
        if not self.connected:
            await asyncio.Event().wait()
        return await super()._call(*arguments, **more)


async def test_the_second_operator_waits_until_the_first_gives_the_lease_up(make_world: MakeWorld) -> None:
    async with make_world() as world:
        first = Leadership(world.kube, world.name, "first")
        second = Leadership(world.kube, world.name, "second")
        await asyncio.wait_for(first.acquire(), 30)
        keeping = asyncio.create_task(first.keep())
        waiting = asyncio.create_task(second.acquire())
        done, _ = await asyncio.wait({waiting, keeping}, timeout=4)
        assert not done
        keeping.cancel()
        await first.release()
        await asyncio.wait_for(waiting, 30)


async def test_an_operator_cut_off_knows_that_it_leads_no_more_before_another_leads(
    make_world: MakeWorld,
) -> None:
    async with make_world() as world:
        kube = Partitioned(world.kube)
        first = Leadership(kube, world.name, "first")
        await asyncio.wait_for(first.acquire(), 30)
        keeping = asyncio.create_task(first.keep())
        kube.connected = False
        await asyncio.wait_for(Leadership(world.kube, world.name, "second").acquire(), 30)
        assert keeping.done()
        lease = await world.kube.get(LEASES, world.name, "ergosphere-operator")
        assert lease
        assert lease["spec"]["holderIdentity"] == "second"


class Held(Faults):
    """The operator's first write of a status waits on its way, as in a process that does not get to run."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def hold(self, write: str) -> None:
        if write.endswith("/status"):
            self.reached.set()
            await self.go.wait()


async def test_nothing_of_an_operator_that_was_stopped_is_written_later(make_world: MakeWorld) -> None:
    async with make_world() as world:
        held = Held()
        operator = world.start(world.operate(held))
        await world.submit("a")
        await held.reached.wait()
        operator.cancel()
        await asyncio.wait({operator})
        held.go.set()
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert not [name for name in names if name.startswith("reconcile")]


async def test_two_operators_that_both_believe_to_lead_do_no_harm(make_world: MakeWorld) -> None:
    """Fencing is the resource version: whoever has seen an older state is refused."""
    async with make_world() as world:
        world.start(world.operate())
        world.start(world.operate())
        await world.submit("a", gpus=2, workers=2)
        await world.until_running_on("n1", "n1")
        await world.cordon("n1")
        await world.until_running_on("n2", "n2")
        assert world.job().status.incarnation == 2
        assert world.gym.losses == [0, 0]
        world.end_programs("a")
        await world.until("Succeeded")
