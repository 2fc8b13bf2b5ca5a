"""An operator as a process that can be killed: the loop, its connections, and all that it remembers."""

import asyncio
from pathlib import Path

from tests.integration.controller.faults import Faults
from tests.integration.controller.scoped import ScopedKube

from ergosphere.controller.certificates import Pair
from ergosphere.controller.config import Config
from ergosphere.controller.loop import Loop
from ergosphere.workload.settings import PodSettings

CONFIG = Config(
    namespace="ergosphere-system",
    identity="test",
    pods=PodSettings(agent_image="agent", store_url="file:///ergosphere/store"),
    lease_seconds=5.0,
    topology_levels=("topology.kubernetes.io/zone",),
    tiers=(),
)


class Operator:
    """One life of the operator, from its start to its death."""

    def __init__(self, kubeconfig: Path, world: str, authority: Pair, faults: Faults) -> None:
        self._faults = faults
        self._kubeconfig = kubeconfig
        self._world = world
        self._authority = authority

    async def run(self) -> None:
        """Work until killed."""
        kube = await ScopedKube.open(self._kubeconfig, self._world, self._faults)
        task = asyncio.create_task(Loop(kube, CONFIG, self._authority).run())
        self._faults.strike = task.cancel
        try:
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})
            await kube.close()
