"""What the API server says has happened: the present objects of a world, and observers of every change."""

import asyncio
from collections.abc import Callable

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job import TrainingJob
from ergosphere.controller.kube import Kube, Object, Resource
from ergosphere.controller.resources import CHECKPOINTS, NODES, PODS, TRAINING_JOBS

Observer = Callable[[Resource, str, Object], None]
_KINDS = (TRAINING_JOBS, CHECKPOINTS, PODS, NODES)
_PATIENCE_SECONDS = 60


class History:
    """Follows the watches of one world. Observers get kind of object, type of event and object.

    `broken` is the error that ended the simulation, which nobody need wait for any more.
    """

    def __init__(self, kube: Kube) -> None:
        self.objects: dict[Resource, dict[str, Object]] = {kind: {} for kind in _KINDS}
        self.observers: list[Observer] = []
        self.broken: BaseException | None = None
        self._kube = kube
        self._news = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for kind in _KINDS:
                group.create_task(self._follow(kind))

    def job(self, name: str) -> TrainingJob | None:
        found = self.objects[TRAINING_JOBS].get(name)
        return TrainingJob.parse(found) if found else None

    def checkpoint(self, name: str) -> Checkpoint | None:
        found = self.objects[CHECKPOINTS].get(name)
        return Checkpoint.parse(found) if found else None

    def jobs(self) -> list[TrainingJob]:
        return [TrainingJob.parse(obj) for obj in self.objects[TRAINING_JOBS].values()]

    def checkpoints(self) -> list[Checkpoint]:
        return [Checkpoint.parse(obj) for obj in self.objects[CHECKPOINTS].values()]

    def tell(self) -> None:
        """Let those who wait look again: something outside the API server has changed."""
        self._news.set()
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Return as soon as `holds`; fails the test when that does not come about."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not holds():
                    if self.broken:
                        raise self.broken
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never came about: {what}\n{self._present()}") from None

    def _present(self) -> str:
        objects = [obj for kind in (TRAINING_JOBS, CHECKPOINTS, PODS) for obj in self.objects[kind].values()]
        return "\n".join(f"{o['kind']} {o['metadata']['name']}: {o.get('status')}" for o in objects)

    async def _follow(self, kind: Resource) -> None:
        listing = await self._kube.list(kind)
        for obj in listing["items"]:
            self._take(kind, "ADDED", obj)
        version = listing["metadata"]["resourceVersion"]
        while True:
            async for event in self._kube.watch(kind, version):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(kind, event["type"], event["object"])

    def _take(self, kind: Resource, event: str, obj: Object) -> None:
        name = obj["metadata"]["name"]
        if event == "DELETED":
            self.objects[kind].pop(name, None)
        else:
            self.objects[kind][name] = obj
        for observer in self.observers:
            observer(kind, event, obj)
        self.tell()
