"""Simulated pods on their nodes: what a kubelet makes of a worker's pod, and of one that deletes data."""

import asyncio
import itertools
import json
import os
from base64 import b64decode
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.integration.controller.agent import Agent, Hands, serving
from tests.integration.controller.scoped import ScopedKube
from tests.integration.controller.shelf import Shelf
from tests.integration.controller.training import Gym, Program
from tests.integration.controller.trouble import Trouble

from ergosphere.agent.inputs import Exited, Terminating
from ergosphere.agent.settings import Settings
from ergosphere.api.meta import LABEL_JOB_UID
from ergosphere.controller.kube import Object
from ergosphere.controller.resources import PODS, SECRETS

# Every pod of a test run has a loopback address of its own.
# Between the end of the main container and that of the sidecar.
_SIDECAR_SECONDS = 0.1
_addresses = (f"127.{64 + os.getpid() % 64}.{n // 250}.{n % 250 + 1}" for n in itertools.count())


class WorkerPod:
    """A worker's pod that was given to a node: its agent, its program, and what the kubelet says of them."""

    def __init__(
        self,
        kube: ScopedKube,
        pod: Object,
        directory: Path,
        gym: Gym,
        shelf: Shelf,
        trouble: Trouble,
    ) -> None:
        self._kube = kube
        self._pod = pod
        self._root = directory / pod["metadata"]["uid"]
        self.node = pod["spec"]["nodeName"]
        self.ip = next(_addresses)
        self._cut_off = asyncio.Event()
        self._back = asyncio.Event()
        self._terminating = False
        settings = self._settings()
        job = pod["metadata"]["labels"][LABEL_JOB_UID]
        self.program = Program(gym, job, settings.rank, settings.incarnation, settings.world)
        self._root.mkdir()
        self.agent = Agent(settings, Hands(self.program, shelf, settings, trouble), self.program)

    async def run(self) -> None:
        """Run until the program has ended, and report so."""
        await self._mount()
        await self._report("Running", {"running": {}})
        while not self.program.ended.is_set():
            async with serving(self.agent, self.ip, self._root):
                await _first(self.program.ended.wait(), self._cut_off.wait())
                if self.program.state == "Exited":
                    self.agent.worker.hear(Exited(self.program.exit))
            if self._cut_off.is_set():
                await self._back.wait()
        how = self.program.exit
        left = self.program.state == "Left"
        word = json.dumps({"left": self.program.cut} if left else {"exit": how.model_dump()})
        terminated = {"exitCode": how.code, "message": word, "reason": "Ended", "containerID": "sim://1"}
        terminated["finishedAt"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # As a kubelet tells it: the sidecar is ended after the main container, and the pod is over with both.
        await self._report("Running", {"terminated": terminated})
        await asyncio.sleep(_SIDECAR_SECONDS)
        await self._report("Failed" if how.code else "Succeeded", {"terminated": terminated})

    def terminate(self, grace_seconds: float) -> None:
        """SIGTERM: the launcher waits for the operator to cut the program, and ends it in time."""
        if self.program.ended.is_set() or self._terminating:
            return
        self._terminating = True
        if self.program.state in ("Waiting", "Restored"):
            self.program.finish(143)
        else:
            self.agent.worker.hear(Terminating())
            asyncio.get_running_loop().call_later(grace_seconds, self.program.finish, 143)

    def cut_off(self) -> None:
        """The node is out of reach: the agent cannot be heard, and nothing is reported of the pod."""
        self._back.clear()
        self._cut_off.set()
        self.program.fenced = True

    def reconnect(self) -> None:
        """The node is back, with everything on it as it was."""
        self._cut_off.clear()
        self._back.set()

    def _settings(self) -> Settings:
        env = self._pod["spec"]["initContainers"][0]["env"]
        environment = {e["name"]: e["value"] for e in env if "value" in e} | {"ERGO_POD_IP": self.ip}
        if environment["ERGO_WORLD"] != "1":
            environment |= {"ERGO_NETWORK_CIDR": "10.77.0.0/16", "ERGO_NETWORK_ID": "77"}
        return Settings.from_environment(environment, root=self._root)

    async def _mount(self) -> None:
        volumes = self._pod["spec"]["volumes"]
        name = next(v["secret"]["secretName"] for v in volumes if v["name"] == "ergosphere-tls")
        secret = await self._kube.get(SECRETS, self._pod["metadata"]["namespace"], name)
        assert secret, f"{name} must exist before the pod that mounts it"
        for file, content in secret["data"].items():
            (self._root / file).write_bytes(b64decode(content))

    async def _report(self, phase: str, state: Object) -> None:
        containers = self._pod["spec"]["containers"]
        statuses = [
            {
                "name": c["name"],
                "image": c["image"],
                "imageID": f"{c['image'].split('@')[0]}@sha256:{'0' * 64}",
                "ready": "running" in state,
                "restartCount": 0,
                "state": state,
            }
            for c in containers
        ]
        await report(self._kube, self._pod, phase, podIP=self.ip, containerStatuses=statuses)


async def report(kube: ScopedKube, pod: Object, phase: str, **status: Any) -> None:
    """Say how a pod is, unless it is gone."""
    metadata = pod["metadata"]
    if "podIP" in status:
        status["podIPs"] = [{"ip": status["podIP"]}]
    await kube.merge_status(PODS, metadata["namespace"], metadata["name"], {"phase": phase, **status})


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when the first of these does."""
    tasks = [asyncio.ensure_future(w) for w in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
