"""`ergo plan` against a real API server. Worlds share it, so what is asked of is what no node has."""

from tests.integration.cli.ergo import Ergo
from tests.integration.controller.world import World


async def test_a_plan_says_what_would_be_done_and_why_and_does_nothing(world: World, ergo: Ergo) -> None:
    await world.submit("a", gpus=2, workers=2, tier="premium")
    await world.until_running_on("n1", "n1")
    await world.submit("b", gpus=64)
    await world.until("Pending", job="b")
    steps = {step["name"]: step for step in await ergo.json("plan")}
    assert steps.keys() == {"b"}
    assert (steps["b"]["action"], steps["b"]["reason"]) == ("Wait", "FleetTooSmall")
    assert steps["b"]["message"].startswith(
        "Waits for 64 GPUs on one node; the fleet has no such room even when empty."
    )
    assert "FleetTooSmall" in await ergo("plan")
