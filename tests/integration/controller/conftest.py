"""Worlds for the operator's scenarios, on the API server of the run."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from tests.integration import resources
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.world import World, a_world

from ergosphere.controller import apply, creating, cutting, ending, failures, loop, reflector, starting
from ergosphere.controller.certificates import Pair, new_authority

MakeWorld = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def authority() -> Pair:
    return new_authority()


@pytest.fixture(scope="session")
def tiers(plane: ControlPlane) -> None:
    for name, fraction, order in (("standard", "0.7", 1), ("premium", "0.95", 2)):
        body = resources.tier(name, gpuFraction=fraction, order=order)
        plane.api.create("/apis/ergosphere.dev/v1alpha1/servicetiers", body)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of seconds and minutes, in tenths of a second: nothing here depends on their length."""
    monkeypatch.setattr(loop, "_TICK_SECONDS", 0.1)
    monkeypatch.setattr(loop, "_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(apply, "_REPEAT_SECONDS", 0.3)
    monkeypatch.setattr(creating, "_FIRST_SECONDS", 0.1)
    monkeypatch.setattr(creating, "_LONGEST_SECONDS", 1.0)
    monkeypatch.setattr(cutting, "RETRY_SECONDS", 0.3)
    monkeypatch.setattr(ending, "_TOGETHER_SECONDS", 0.3)
    monkeypatch.setattr(failures, "_FIRST_BACKOFF_SECONDS", 0.3)
    monkeypatch.setattr(starting, "_UNSCHEDULABLE_SECONDS", 1.0)
    monkeypatch.setattr(reflector, "_RETRY_SECONDS", 0.1)


@pytest.fixture
def make_world(plane: ControlPlane, tiers: None, authority: Pair, tmp_path: Path) -> MakeWorld:
    """Make a world that nobody operates."""
    return lambda: a_world(plane, authority, tmp_path)


@pytest.fixture
async def world(make_world: MakeWorld) -> AsyncIterator[World]:
    """A world with an operator at work."""
    async with make_world() as world:
        world.start(world.operate())
        yield world
