"""A connection whose cluster is one namespace and the nodes made for it: many tests share a server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from kubernetes.aio import client, config
from tests.integration.controller.faults import Faults, Killed

from ergosphere.controller.kube import Kube, Object, Resource
from ergosphere.controller.resources import NODES, WATCHED

WORLD = "ergosphere.test/world"
_COLLECTIONS = {resource.path(): resource for resource in WATCHED}


class ScopedKube(Kube):
    """The operator's client; its writes meet `faults` on their way."""

    def __init__(self, api: client.ApiClient, world: str, faults: Faults) -> None:
        super().__init__(api)
        self._world = world
        self._faults = faults

    @classmethod
    async def open(cls, kubeconfig: Path, world: str, faults: Faults | None = None) -> "ScopedKube":
        """Connect as the kubeconfig says."""
        configuration = client.Configuration()
        await config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        # Python 3.13 asks of an authority more than a throw-away one has.
        configuration.disable_strict_ssl_verification = True
        configuration.connection_pool_maxsize = 0
        return cls(client.ApiClient(configuration), world, faults or Faults())

    async def merge_status(self, resource: Resource, namespace: str, name: str, status: Object) -> Object:
        """Change some fields of an object's status, as a kubelet does."""
        path = resource.path(namespace, name, "status")
        return await self._call("PATCH", path, {}, {"status": status}, "application/merge-patch+json")

    async def bind(self, namespace: str, pod: str, node: str) -> None:
        """Give a pod to a node, as the scheduler does."""
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod}, "target": target}
        await self._call("POST", f"/api/v1/namespaces/{namespace}/pods/{pod}/binding", {}, body)

    async def objects(self, resource: Resource, namespace: str) -> list[Object]:
        """All objects of one kind in a namespace."""
        return (await self._call("GET", resource.path(namespace)))["items"]

    async def watch(self, resource: Resource, version: str) -> AsyncIterator[Object]:
        async for event in super().watch(resource, version):
            if not self._faults.hides(resource, event):
                yield event

    async def _send(self, method: str, path: str, query: Mapping[str, str], *rest: Any, **more: Any) -> Any:
        resource = _COLLECTIONS.get(path) if method == "GET" else None
        if resource is NODES:
            query = {**query, "labelSelector": f"{WORLD}={self._world}"}
        elif resource and resource.namespaced:
            path = resource.path(self._world)
        return await super()._send(method, path, query, *rest, **more)

    async def _call(self, method: str, path: str, *rest: Any, **more: Any) -> Object:
        if method == "GET":
            return await super()._call(method, path, *rest, **more)
        write = f"{method} {path.removeprefix('/api/v1').removeprefix('/apis/')}"
        try:
            async with self._faults.turn:
                self._faults.before(write)
                await self._faults.hold(write)
                answer = await super()._call(method, path, *rest, **more)
                self._faults.after(write)
        except Killed:
            await asyncio.Event().wait()
        return answer
