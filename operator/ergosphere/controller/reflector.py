"""A local copy of one collection, kept by list and watch.

kopf's indices keep objects that were deleted in a watch gap, so decisions rest on this copy instead:
it is replaced as a whole after every gap and every few minutes, and says when it is not in step.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from .kube import ApiError, Kube, Object, Resource
from .resources import PODS
from .trimming import foreign
from .worker import worker_of

_log = logging.getLogger(__name__)
_RELIST_SECONDS = 300.0
_RETRY_SECONDS = 1.0

Key = tuple[str, str]


def key(obj: Object) -> Key:
    """Namespace and name of an object; the namespace is empty for cluster-scoped ones."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


class Reflector:
    """The objects of one resource by namespace and name.

    `on_change` gets the key of each change. `on_sync` is told when the copy is in step (again): what it holds
    may be acted upon from then on, even if nothing in it has changed.
    """

    def __init__(
        self,
        resource: Resource,
        on_change: Callable[[Resource, Key], None],
        on_sync: Callable[[], None],
    ) -> None:
        self.resource = resource
        self.objects: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self._on_change = on_change
        self._on_sync = on_sync

    async def run(self, kube: Kube) -> None:
        """Follow the collection until cancelled. Errors of the API server or the network are retried."""
        while True:
            try:
                await self._follow(kube)
            except (ApiError, aiohttp.ClientError, HttpProcessingError, TimeoutError, ValueError) as error:
                expired = isinstance(error, ApiError) and error.status == 410
                _log.log(
                    logging.DEBUG if expired else logging.WARNING,
                    "watch of %s ended: %s",
                    self.resource.plural,
                    error,
                )
                if not expired:
                    self.synced.clear()
                    await asyncio.sleep(_RETRY_SECONDS)

    def put(self, obj: Object) -> None:
        """Take in an object that a write has just returned, unless a newer one is here already."""
        current = self.objects.get(key(obj))
        if current is None or _version(current) < _version(obj):
            self._store(obj)

    async def _follow(self, kube: Kube) -> None:
        listing = await kube.list(self.resource, self._kept)
        self._replace(listing)
        version = listing["metadata"]["resourceVersion"]
        deadline = time.monotonic() + _RELIST_SECONDS
        while time.monotonic() < deadline:
            async for event in kube.watch(self.resource, version):
                version = self._take(event)

    def _replace(self, listing: Object) -> None:
        fresh = {key(obj): obj for obj in listing.get("items") or ()}
        changed = [
            k for k in fresh.keys() | self.objects.keys() if _differs(fresh.get(k), self.objects.get(k))
        ]
        self.objects = fresh
        was_synced = self.synced.is_set()
        self.synced.set()
        for k in changed:
            self._on_change(self.resource, k)
        if not was_synced:
            self._on_sync()

    def _take(self, event: Object) -> str:
        obj = event["object"]
        if event["type"] == "ERROR":
            raise ApiError(obj.get("code", 0), obj.get("reason", ""), obj.get("message", ""))
        if event["type"] == "DELETED":
            self.objects.pop(key(obj), None)
            self._on_change(self.resource, key(obj))
        elif event["type"] != "BOOKMARK":
            self.put(obj)
        version: str = obj["metadata"]["resourceVersion"]
        return version

    def _store(self, obj: Object) -> None:
        self.objects[key(obj)] = self._kept(obj)
        self._on_change(self.resource, key(obj))

    def _kept(self, obj: Object) -> Object:
        """The object without what is long and read by nobody here, such as who wrote which field."""
        obj["metadata"].pop("managedFields", None)
        return foreign(obj) if self.resource is PODS and worker_of(obj) is None else obj


def _version(obj: Object) -> int:
    # Comparable since Kubernetes 1.35 by contract (KEP-5504); integers in practice ever since etcd3.
    return int(obj["metadata"]["resourceVersion"])


def _differs(one: Object | None, other: Object | None) -> bool:
    if one is None or other is None:
        return one is not other
    return bool(one["metadata"]["resourceVersion"] != other["metadata"]["resourceVersion"])
