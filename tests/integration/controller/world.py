"""A world of one scenario: a namespace, nodes with GPUs, simulated kubelets and a store, and operators."""

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.integration import resources
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.faults import Faults
from tests.integration.controller.history import History
from tests.integration.controller.invariants import Invariants
from tests.integration.controller.kubelet import Kubelet, over
from tests.integration.controller.operators import Operator
from tests.integration.controller.scoped import WORLD, ScopedKube
from tests.integration.controller.shelf import Shelf
from tests.integration.controller.training import Gym

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import GPU_RESOURCE
from ergosphere.api.training_job import TrainingJob
from ergosphere.controller.certificates import Pair
from ergosphere.controller.kube import Resource
from ergosphere.controller.resources import (
    CHECKPOINTS,
    CLAIMS,
    EVENTS,
    NODES,
    PODS,
    TRAINING_JOBS,
    VOLUMES,
)

# As a kubelet on this machine names it.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_NODE_INFO = dict.fromkeys(
    ("bootID", "containerRuntimeVersion", "kubeProxyVersion", "kubeletVersion", "machineID", "osImage"), ""
)
_NODE_INFO |= {"operatingSystem": "linux", "systemUUID": "", "kernelVersion": platform.release()}
_NODE_INFO |= {"architecture": _ARCHITECTURES.get(platform.machine(), platform.machine())}


class World:
    """What a test does to a cluster, and waits for."""

    def __init__(self, name: str, kube: ScopedKube, plane: ControlPlane, authority: Pair, tmp: Path) -> None:
        self.name = name
        self.kube = kube
        self.history = History(kube)
        self.invariants = Invariants(self.history)
        self.shelf = Shelf(self.invariants.use)
        self.gym = Gym(self.history.tell, self._secured)
        self.kubelet = Kubelet(kube, name, self.history, self.gym, self.shelf, tmp)
        self.trouble = self.kubelet.trouble
        self._tasks: list[asyncio.Task[None]] = []
        self._plane = plane
        self._authority = authority

    # -- the cluster

    async def add_node(self, name: str, gpus: int = 4) -> None:
        labels = {WORLD: self.name, "kubernetes.io/hostname": self.node(name)}
        meta = {"name": self.node(name), "labels": labels}
        body = {"apiVersion": "v1", "kind": "Node", "metadata": meta}
        await self.kube.create(NODES, body)
        # What the node controllers of a real cluster do.
        await self.kube.merge(NODES, "", self.node(name), {"spec": {"taints": None}})
        quantities = {GPU_RESOURCE: str(gpus), "cpu": "64", "memory": "64Gi", "pods": "110"}
        await self._node_status(
            name, "True", allocatable=quantities, capacity=quantities, nodeInfo=_NODE_INFO
        )

    def node(self, name: str) -> str:
        """A node's real name: nodes have no namespace."""
        return f"{self.name}-{name}"

    async def cordon(self, name: str, *, cordoned: bool = True) -> None:
        await self.kube.merge(NODES, "", self.node(name), {"spec": {"unschedulable": cordoned or None}})

    async def lose(self, name: str) -> None:
        """The node is out of reach of everybody, and the API server says so."""
        self.silence(name)
        await self._node_status(name, "Unknown")

    def silence(self, name: str) -> None:
        """The node is out of reach of everybody, and nobody knows yet."""
        self.kubelet.down.add(self.node(name))
        for pod in self.kubelet.pods.values():
            if pod.node == self.node(name):
                pod.cut_off()

    async def find(self, name: str) -> None:
        """The lost node is back."""
        self.kubelet.down.discard(self.node(name))
        for pod in self.kubelet.pods.values():
            if pod.node == self.node(name):
                pod.reconnect()
        await self._node_status(name, "True")
        self.kubelet.wake()

    async def _node_status(self, name: str, ready: str, **status: Any) -> None:
        now = "2026-01-01T00:00:00Z"
        condition = {"type": "Ready", "status": ready, "reason": "Kubelet"}
        condition |= {"lastTransitionTime": now, "lastHeartbeatTime": now, "message": ""}
        await self.kube.merge_status(NODES, "", self.node(name), {"conditions": [condition], **status})

    # -- the user

    async def submit(
        self, name: str = "a", *, gpus: int = 1, pod: dict[str, Any] | None = None, **spec: Any
    ) -> None:
        template = resources.pod(resources.container(gpus=gpus), **(pod or {}))
        body = resources.training_job(template, name=name, **spec)
        body["metadata"]["namespace"] = self.name
        assert await self.kube.create(TRAINING_JOBS, body)

    async def change(self, name: str, **spec: Any) -> None:
        await self.kube.merge(TRAINING_JOBS, self.name, name, {"spec": spec})

    async def add_local_volume(self, claim: str, node: str) -> None:
        """A claim that is bound to a volume on a disk of that node."""
        name = f"{self.name}-{claim}"
        size, access = {"storage": "1Gi"}, {"accessModes": ["ReadWriteOnce"], "storageClassName": "local"}
        host = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self.node(node)]}
        affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [host]}]}}
        disk = {"capacity": size, "local": {"path": "/disk"}, "nodeAffinity": affinity}
        body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}}
        await self.kube.create(VOLUMES, body | {"spec": access | disk})
        meta = {"name": claim, "namespace": self.name}
        body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
        request = {"resources": {"requests": size}, "volumeName": name}
        await self.kube.create(CLAIMS, body | {"spec": access | request})

    async def delete(self, name: str) -> None:
        await self.kube.delete(TRAINING_JOBS, self.name, name, {})

    async def ask_for(self, checkpoint: str, job: str = "a") -> None:
        meta = {"name": checkpoint, "namespace": self.name}
        body = {"apiVersion": "ergosphere.dev/v1alpha1", "kind": "Checkpoint", "metadata": meta}
        await self.kube.create(CHECKPOINTS, body | {"spec": {"jobName": job}})

    def end_programs(self, job: str, code: int = 0) -> None:
        """The job's running programs end."""
        for program in self.gym.running(self.job(job).uid):
            program.finish(code)

    # -- what is to be seen

    def job(self, name: str = "a") -> TrainingJob:
        found = self.history.job(name)
        assert found, f"there is no job {name}"
        return found

    def cuts(self, job: str = "a") -> list[Checkpoint]:
        """The checkpoints that the operator made of the job by itself, oldest first."""
        made = [c for c in self.history.checkpoints() if c.name.startswith(f"{job}-")]
        return sorted(made, key=lambda c: int(c.name.rpartition("-")[2]))

    def nodes_of(self, name: str = "a") -> list[str]:
        """The nodes that the job is placed on, in rank order, by their short names."""
        return [p.node.removeprefix(f"{self.name}-") for p in self.job(name).status.placement]

    async def until(self, phase: str, job: str = "a") -> TrainingJob:
        await self.history.until(lambda: self._phase(job) == phase, f"{job} {phase}")
        return self.job(job)

    async def until_running_on(self, *nodes: str, job: str = "a") -> None:
        def there() -> bool:
            return self._phase(job) == "Running" and self.nodes_of(job) == list(nodes)

        await self.history.until(there, f"{job} Running on {nodes}")

    async def until_incarnation(self, number: int, job: str = "a") -> TrainingJob:
        """Return once every rank of that incarnation was seen to run."""
        ran = lambda: self.job(job).status.ran_incarnation >= number  # noqa: E731
        await self.history.until(ran, f"incarnation {number} of {job} running")
        return self.job(job)

    async def until_ready(self, checkpoint: str) -> Checkpoint:
        return await self._checkpoint(checkpoint, lambda c: c.ready, "Ready")

    async def until_settled(self, checkpoint: str) -> Checkpoint:
        return await self._checkpoint(checkpoint, lambda c: c.ready or c.failed, "Ready or Failed")

    async def until_failed(self, checkpoint: str) -> Checkpoint:
        return await self._checkpoint(checkpoint, lambda c: c.failed, "Failed")

    async def _checkpoint(self, name: str, holds: Callable[[Checkpoint], bool], what: str) -> Checkpoint:
        found = self.history.checkpoint
        await self.history.until(lambda: (c := found(name)) is not None and holds(c), f"{name} {what}")
        checkpoint = found(name)
        assert checkpoint
        return checkpoint

    async def until_empty(self, *kinds: Resource) -> None:
        """Return once no object of these kinds, which the history need not follow, is left."""
        async with asyncio.timeout(60):
            for kind in kinds:
                while await self.kube.objects(kind, self.name):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    async def until_told(self, reason: str, message: str) -> None:
        """Return once an Event, which the history does not follow, says so."""
        async with asyncio.timeout(60):
            while not await self._told(reason, message):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _told(self, reason: str, message: str) -> bool:
        events = await self.kube.objects(EVENTS, self.name)
        return any((e["reason"], e["message"]) == (reason, message) for e in events)

    async def until_empty_of_running_pods(self) -> None:
        pods = self.history.objects[PODS]
        await self.history.until(lambda: all(over(p) for p in pods.values()), "all pods over")

    def _phase(self, name: str) -> str | None:
        found = self.history.job(name)
        return found.status.phase if found else None

    def _secured(self, job: str, rank: int) -> int:
        ids = [c.status.id for c in self.history.checkpoints() if c.ready and c.status.job_uid == job]
        return max(
            (self.shelf.fetch(i, rank) for i in ids if i in self.shelf.committed - self.shelf.damaged),
            default=0,
        )

    def check(self) -> None:
        """Fail the test for whatever should never have happened and did."""
        assert self.invariants.violations + self.gym.violations + self.shelf.violations == []

    # -- operators

    async def operate(self, *lives: Faults) -> None:
        """Run operators, one after the death of the other: each with its faults, the last one with none."""
        for faults in (*lives, Faults()):
            self.kubelet.connect(faults)
            await Operator(self._plane.kubeconfig, self.name, self._authority, faults).run()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a part of the world beside the test; the test fails as soon as it does."""
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self.history.broken = task.exception()
            self.history.tell()

    async def end(self) -> None:
        """Stop everything, and take away what has no namespace."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for name in self.history.objects[NODES]:
            await self.kube.delete(NODES, "", name, {})
        await self.kube.close()


_names = count(1)


@asynccontextmanager
async def a_world(plane: ControlPlane, authority: Pair, directory: Path) -> AsyncIterator[World]:
    """A new world with two nodes of four GPUs, and nobody who operates it."""
    name = f"world-{next(_names)}"
    kube = await ScopedKube.open(plane.kubeconfig, name)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await kube.create(Resource("", "v1", "namespaces", namespaced=False), body)
    world = World(name, kube, plane, authority, directory)
    try:
        world.start(world.history.run())
        world.start(world.kubelet.run())
        await world.add_node("n1")
        await world.add_node("n2")
        yield world
        world.check()
    finally:
        await world.end()
