"""`ergo` as its user runs it, on a world of simulated nodes behind the real API server."""

import pytest
from tests.integration.cli.ergo import Ergo
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.conftest import authority, brisk, make_world, tiers, world
from tests.integration.controller.world import World

__all__ = ["authority", "brisk", "make_world", "tiers", "world"]


@pytest.fixture
def ergo(plane: ControlPlane, world: World) -> Ergo:
    return Ergo(plane.kubeconfig, world.name)
