"""Kubernetes' garbage collection: what is owned goes once its owner is gone."""

from tests.integration.controller.history import History
from tests.integration.controller.scoped import ScopedKube

from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.resources import BUDGETS, CHECKPOINTS, PODS, SECRETS, TRAINING_JOBS

_OWNERS = {"TrainingJob": TRAINING_JOBS, "Checkpoint": CHECKPOINTS}
_OWNED = (PODS, SECRETS, BUDGETS, CHECKPOINTS)


class Collector:
    """Deletes the orphans of one namespace."""

    def __init__(self, kube: ScopedKube, namespace: str, history: History) -> None:
        self._kube = kube
        self._namespace = namespace
        self._history = history

    async def collect(self) -> None:
        """Look once at everything that may be owned."""
        for kind in _OWNED:
            for obj in await self._kube.objects(kind, self._namespace):
                if await self.orphaned(obj):
                    name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
                    await self._kube.delete(kind, self._namespace, name, {"preconditions": {"uid": uid}})

    async def orphaned(self, obj: Object) -> bool:
        """Whether an object has owners and none of them is there, by the API server's word."""
        owners = obj["metadata"].get("ownerReferences") or ()
        for owner in owners:
            kind = _OWNERS[owner["kind"]]
            if self._known(kind, owner) or await self._exists(kind, owner):
                return False
        return bool(owners)

    def _known(self, kind: Resource, owner: Object) -> bool:
        found = self._history.objects[kind].get(owner["name"])
        return found is not None and found["metadata"]["uid"] == owner["uid"]

    async def _exists(self, kind: Resource, owner: Object) -> bool:
        found = await self._kube.get(kind, self._namespace, owner["name"])
        return found is not None and found["metadata"]["uid"] == owner["uid"]
