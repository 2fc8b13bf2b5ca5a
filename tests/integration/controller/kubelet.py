"""The rest of a small cluster: scheduler, kubelets and garbage collection for the pods of one world."""

import asyncio
from pathlib import Path

from kubernetes.utils.quantity import parse_quantity
from tests.integration.controller.faults import Faults
from tests.integration.controller.garbage import Collector
from tests.integration.controller.history import History
from tests.integration.controller.pods import WorkerPod, report
from tests.integration.controller.scoped import ScopedKube
from tests.integration.controller.shelf import Shelf
from tests.integration.controller.training import Gym
from tests.integration.controller.trouble import Trouble

from ergosphere.api.meta import GPU_RESOURCE, LABEL_MANAGED_BY
from ergosphere.controller.kube import ApiError, Object, Resource
from ergosphere.controller.resources import CHECKPOINTS, NODES, PODS, TRAINING_JOBS


class Kubelet:
    """Acts on what the history shows, level by level.

    `down` names the nodes that do nothing at all, `grace_seconds` is how long a program that is told to end
    goes on, if nobody ends it before.
    """

    def __init__(
        self, kube: ScopedKube, namespace: str, history: History, gym: Gym, shelf: Shelf, directory: Path
    ) -> None:
        self.grace_seconds = 20.0
        self.down: set[str] = set()
        self.pods: dict[str, WorkerPod] = {}
        self.trouble = Trouble(history.tell)
        self.faults = Faults()
        self._kube = kube
        self._namespace = namespace
        self._history = history
        self._gym = gym
        self._shelf = shelf
        self._directory = directory
        self._collector = Collector(kube, namespace, history)
        self._orphans = False
        self._bound: dict[str, str] = {}
        self._changed = asyncio.Event()
        history.observers.append(self._observe)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self._orphans:
                    self._orphans = False
                    await self._collector.collect()
                for pod in list(self._history.objects[PODS].values()):
                    await self._see(pod, group)

    def wake(self) -> None:
        """Look at all pods again."""
        self._changed.set()

    def connect(self, faults: Faults) -> None:
        """From now on an operator with these faults talks to the agents."""
        self.faults = faults
        for pod in self.pods.values():
            pod.agent.faults = faults

    def _observe(self, kind: Resource, event: str, obj: Object) -> None:
        gone = event == "DELETED" and kind in (TRAINING_JOBS, CHECKPOINTS)
        # An owner may go while something is being made for it.
        self._orphans |= gone or (kind is PODS and event == "ADDED")
        self._changed.set()

    async def _see(self, pod: Object, group: asyncio.TaskGroup) -> None:
        try:
            await self._act(pod, group)
        except ApiError as error:
            # It was changed or deleted meanwhile, and is looked at again for that.
            if error.status not in (404, 409):
                raise

    async def _act(self, pod: Object, group: asyncio.TaskGroup) -> None:
        uid, node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
        if not node:
            await self._schedule(pod)
        elif node in self.down:
            return
        elif "deletionTimestamp" in pod["metadata"]:
            await self._end(pod)
        elif uid not in self.pods and not over(pod):
            await self._start(pod, group)

    async def _schedule(self, pod: Object) -> None:
        wanted = _wanted_node(pod)
        nodes = [wanted] if wanted else sorted(self._history.objects[NODES])
        refusals = {node: self._refusal(pod, node) for node in nodes}
        node = next((n for n in nodes if refusals[n] is None), nodes[0])
        refusal = refusals[node]
        if refusal is None:
            self._bound[pod["metadata"]["uid"]] = node
            await self._kube.bind(self._namespace, pod["metadata"]["name"], node)
        elif not pod["status"].get("conditions"):
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            await report(self._kube, pod, "Pending", conditions=[condition | {"message": refusal}])

    def _refusal(self, pod: Object, name: str) -> str | None:
        node = self._history.objects[NODES].get(name)
        if node is None:
            return f"there is no node {name}"
        if node["spec"].get("unschedulable"):
            return f"{name} is unschedulable"
        others = [p for p in self._history.objects[PODS].values() if p is not pod]
        used = sum(gpus(p) for p in others if self._node_of(p) == name and not over(p))
        free = int(node["status"]["allocatable"][GPU_RESOURCE]) - used
        return f"Insufficient {GPU_RESOURCE}" if gpus(pod) > free else None

    def _node_of(self, pod: Object) -> str:
        return pod["spec"].get("nodeName") or self._bound.get(pod["metadata"]["uid"], "")

    async def _start(self, pod: Object, group: asyncio.TaskGroup) -> None:
        if LABEL_MANAGED_BY not in pod["metadata"].get("labels", {}):
            await report(self._kube, pod, "Running")
            return
        if not _wanted_node(pod):
            errand, name = pod["spec"]["containers"][0]["args"]
            if errand == "forget":
                self._shelf.delete(name)
            await report(self._kube, pod, "Succeeded")
            return
        worker = WorkerPod(self._kube, pod, self._directory, self._gym, self._shelf, self.trouble)
        worker.agent.faults = self.faults
        self.pods[pod["metadata"]["uid"]] = worker
        group.create_task(self._run(worker))

    async def _run(self, worker: WorkerPod) -> None:
        try:
            await worker.run()
        except ApiError as error:
            # A pod that is deleted before it runs.
            if error.status != 404:
                raise

    async def _end(self, pod: Object) -> None:
        worker = self.pods.get(pod["metadata"]["uid"])
        if worker and not over(pod):
            grace = pod["metadata"]["deletionGracePeriodSeconds"]
            worker.terminate(min(grace, self.grace_seconds))
            if not worker.program.ended.is_set():
                return
        await self._kube.delete(PODS, self._namespace, pod["metadata"]["name"], {"gracePeriodSeconds": 0})


def gpus(pod: Object) -> int:
    """How many GPUs a pod asks for."""
    limits = (c.get("resources", {}).get("limits", {}) for c in pod["spec"]["containers"])
    return sum(int(parse_quantity(limit.get(GPU_RESOURCE, 0))) for limit in limits)


def over(pod: Object) -> bool:
    """Whether a pod has given its GPUs back."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def _wanted_node(pod: Object) -> str:
    """The only node that a pod may run on; empty when it has none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity")
    if not affinity:
        return ""
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    node: str = terms[0]["matchFields"][-1]["values"][0]
    return node
