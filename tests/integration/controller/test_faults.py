"""Writes that fail, answers that get lost, and events that never come."""

import pytest
from tests.integration.controller.conftest import MakeWorld
from tests.integration.controller.faults import Unreliable, refusal
from tests.integration.controller.story import tell

ERRORS = {
    "conflict": refusal(409, "Conflict"),
    "invalid": refusal(422, "Invalid"),
    "too many requests": refusal(429, "TooManyRequests"),
    "internal error": refusal(500, "InternalError"),
    "timeout": TimeoutError,
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_half_of_the_writes_fail(make_world: MakeWorld, error) -> None:
    faults = Unreliable(error, sent=False)
    async with make_world() as world:
        await tell(world, faults)
    assert faults.failed > 10


async def test_the_answers_to_half_of_the_writes_are_lost(make_world: MakeWorld) -> None:
    faults = Unreliable(TimeoutError, sent=True)
    async with make_world() as world:
        await tell(world, faults)
    assert faults.failed > 10
