"""What the operator acts upon: every change at once, and what it missed at the next look."""

import pytest
from tests.integration.controller.conftest import MakeWorld

from ergosphere.controller import loop


async def test_nothing_but_the_passing_of_time_waits_for_the_tick(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_TICK_SECONDS", 3600.0)
    async with make_world() as world:
        world.start(world.operate())
        await world.submit("a", gpus=2, workers=2)
        await world.until_running_on("n1", "n1")
        await world.cordon("n1")
        await world.until_running_on("n2", "n2")
        await world.ask_for("mine")
        await world.until_ready("mine")
        world.end_programs("a")
        await world.until("Succeeded")
        assert world.gym.losses == [0, 0]
