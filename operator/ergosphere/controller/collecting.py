"""Freeing space in the store: once a day a pod collects garbage in each namespace that has checkpoints.

The pod itself, kept until the next one, tells when that was.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import aiohttp

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.workload.collect import COLLECT_POD, collect_pod
from ergosphere.workload.errand import succeeded
from ergosphere.workload.settings import PodSettings

from .cache import Cache
from .events import Recorder
from .kube import ApiError, Kube, Object
from .resources import PODS

_log = logging.getLogger(__name__)
_PERIOD = timedelta(days=1)
_AFTER_FAILURE = timedelta(hours=1)
_LOOK_SECONDS = 60.0


def due(checkpoints: Iterable[Checkpoint], now: datetime) -> set[str]:
    """The namespaces with a checkpoint of some age. Before, nothing of an upload may be collected anyway."""
    created = ((c.namespace, c.metadata.creation_timestamp) for c in checkpoints)
    return {namespace for namespace, time in created if time and now >= time + _PERIOD}


def over(pod: Object, now: datetime) -> bool:
    """Whether the next pod may take this one's place. One that has not ended by then never will."""
    age = now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return age >= (_PERIOD if succeeded(pod) else _AFTER_FAILURE)


class Collecting:
    """Makes the pods, and clears them away."""

    def __init__(self, kube: Kube, cache: Cache, recorder: Recorder, settings: PodSettings) -> None:
        self._kube, self._cache, self._recorder, self._settings = kube, cache, recorder, settings

    async def run(self) -> None:
        """Look after all namespaces until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._cache.synced:
                await self.look(datetime.now(UTC))

    async def look(self, now: datetime) -> None:
        """Look after each namespace once. What fails is tried again at the next look."""
        for namespace in sorted(due(self._cache.checkpoints().values(), now)):
            try:
                await self._advance(namespace, now)
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                _log.warning("no collection in %s: %s", namespace, error)

    async def _advance(self, namespace: str, now: datetime) -> None:
        pod = self._cache.objects(PODS).get((namespace, COLLECT_POD))
        if pod is None:
            await self._kube.create(PODS, collect_pod(namespace, self._settings))
        elif over(pod, now):
            if not succeeded(pod):
                message = "collecting garbage in the checkpoint store failed; it is tried again"
                await self._recorder.record(pod, "CollectionFailed", message, warning=True)
            # At once: the kubelet of a node that is lost never lets the name go.
            own = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            await self._kube.delete(PODS, namespace, COLLECT_POD, own)
