"""The tiers that an installation comes with, beside those of the administrator."""

from tests.integration.controller.world import World

from ergosphere.controller.resources import SERVICE_TIERS
from ergosphere.controller.tiers import make_missing, parsed

_CHART = '[{"name": "standard", "gpuFraction": "0.1"}, {"name": "spare", "order": -7}]'


async def test_what_is_missing_is_made_and_what_is_there_stays(world: World) -> None:
    before = await world.kube.get(SERVICE_TIERS, "", "standard")
    await make_missing(world.kube, parsed(_CHART))
    assert await world.kube.get(SERVICE_TIERS, "", "standard") == before
    made = await world.kube.get(SERVICE_TIERS, "", "spare")
    assert made is not None
    assert made["spec"]["order"] == -7
    await world.kube.delete(SERVICE_TIERS, "", "spare", {})
