"""Deleting a checkpoint's data before its object goes.

The operator has no access to the store, so a short-lived pod of the agent's image does it. A deletion is
never wedged by what becomes of the pod: when the data cannot be deleted, or no pod comes to its end, an Event
says so and the object goes all the same. A pod that the API server refuses is created later: a quota that is
used up today must not leave the data in the store for ever.
"""

import time
from datetime import UTC, datetime

from ergosphere.api.agent import Failure
from ergosphere.api.checkpoint import Checkpoint, CheckpointStatus
from ergosphere.api.meta import FINALIZER
from ergosphere.workload.errand import failed, succeeded
from ergosphere.workload.forget import forget_pod, forget_pod_name
from ergosphere.workload.settings import PodSettings

from . import record
from .events import Recorder
from .kube import ApiError, Kube, Object
from .resources import CHECKPOINTS, PODS

_ATTEMPTS = 3
_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 300.0


class Forgetting:
    """Takes checkpoints that are being deleted to their end."""

    def __init__(self, kube: Kube, recorder: Recorder, settings: PodSettings) -> None:
        self._kube = kube
        self._recorder = recorder
        self._settings = settings
        self._refused: dict[str, tuple[float, float]] = {}

    async def advance(self, checkpoint: Checkpoint, raw: Object) -> None:
        """Take the next step for one checkpoint that is being deleted and that no job needs."""
        if FINALIZER not in checkpoint.metadata.finalizers:
            return
        if not checkpoint.status.id:
            await self._let_go(checkpoint)
            return
        if checkpoint.ready:
            await self._note(checkpoint, record.going(checkpoint))
            return
        if time.monotonic() < self._refused.get(checkpoint.uid, (0.0, 0.0))[0]:
            return
        for attempt in range(_ATTEMPTS):
            if not await self._tried(checkpoint, raw, attempt):
                return
        message = f"the data of {checkpoint.status.id} could not be deleted and stays in the store"
        await self._recorder.record(raw, "CheckpointDataLeft", message, warning=True)
        await self._let_go(checkpoint)

    async def _tried(self, checkpoint: Checkpoint, raw: Object, attempt: int) -> bool:
        """Whether this attempt has failed; it is begun if need be."""
        pod = await self._kube.get(PODS, checkpoint.namespace, forget_pod_name(checkpoint, attempt))
        if pod is None:
            return await self._begun_in_vain(checkpoint, raw, attempt)
        if succeeded(pod):
            await self._let_go(checkpoint)
        # One that is late stays where it is: it tells that this attempt was made, and goes with the object.
        return failed(pod, datetime.now(UTC))

    async def _begun_in_vain(self, checkpoint: Checkpoint, raw: Object, attempt: int) -> bool:
        """Create the attempt's pod. One that is refused is asked for again, ever later, and that is said."""
        _, seconds = self._refused.get(checkpoint.uid, (0.0, _FIRST_SECONDS / 2))
        try:
            await self._kube.create(PODS, forget_pod(checkpoint, attempt, self._settings))
        except ApiError as error:
            if _going(error):
                return True
            seconds = min(2 * seconds, _LONGEST_SECONDS)
            self._refused[checkpoint.uid] = (time.monotonic() + seconds, seconds)
            message = f"no pod to delete the data of {checkpoint.status.id}: {error.message}"
            await self._recorder.record(raw, "FailedCreate", message, warning=True)
        return False

    async def abandon(self, checkpoint: Checkpoint) -> None:
        """Give up a checkpoint whose job was deleted before its cut, or in the middle of it."""
        when = "in the middle of the cut" if checkpoint.status.id else "before it could be cut"
        failure = Failure(reason="JobDeleted", message=f"the job was deleted {when}")
        await self._note(checkpoint, record.failed(checkpoint, failure))

    async def expire(self, checkpoint: Checkpoint) -> None:
        """Begin the deletion of a checkpoint whose time is over."""
        own = {"preconditions": {"uid": checkpoint.uid}}
        await self._kube.delete(CHECKPOINTS, checkpoint.namespace, checkpoint.name, own)

    async def _note(self, checkpoint: Checkpoint, status: CheckpointStatus) -> None:
        body = record.body(checkpoint, status)
        await self._kube.apply(CHECKPOINTS, body, "status")

    async def _let_go(self, checkpoint: Checkpoint) -> None:
        self._refused.pop(checkpoint.uid, None)
        rest = [name for name in checkpoint.metadata.finalizers if name != FINALIZER]
        body = {"metadata": {"finalizers": rest, "resourceVersion": checkpoint.metadata.resource_version}}
        await self._kube.merge(CHECKPOINTS, checkpoint.namespace, checkpoint.name, body)


def _going(error: ApiError) -> bool:
    """Whether the namespace is being deleted: it takes no pods, and its objects must not wait for one."""
    return error.status == 404 or (error.status == 403 and "being terminated" in error.message)
