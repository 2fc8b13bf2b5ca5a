"""Kubernetes Events: one object per distinct message, counted instead of repeated."""

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

import aiohttp

from .kube import ApiError, Kube, Object
from .resources import EVENTS

_log = logging.getLogger(__name__)
_LONGEST_MESSAGE = 1024


class Recorder:
    """Writes Events about our objects. A failure to write one is logged and never stops the work."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    async def record(self, regarding: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Say `reason` (CamelCase) and `message` (a sentence) about an object."""
        event = _event(regarding, reason, message[:_LONGEST_MESSAGE], "Warning" if warning else "Normal")
        try:
            if await self._kube.create(EVENTS, event) is None:
                await self._count(event)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            _log.warning("event %s on %s not written: %s", reason, regarding["metadata"]["name"], error)

    async def _count(self, event: Object) -> None:
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        known = await self._kube.get(EVENTS, namespace, name)
        if known:
            patch = {"count": known.get("count", 1) + 1, "lastTimestamp": event["lastTimestamp"]}
            await self._kube.merge(EVENTS, namespace, name, patch)


def _event(regarding: Object, reason: str, message: str, kind: str) -> dict[str, Any]:
    metadata = regarding["metadata"]
    digest = hashlib.sha256(f"{metadata['uid']}/{reason}/{message}".encode()).hexdigest()[:16]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name'][:200].rstrip('-.')}.{digest}",
            "namespace": metadata.get("namespace", "default"),
        },
        "involvedObject": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata["uid"],
            "resourceVersion": metadata.get("resourceVersion", ""),
        },
        "reason": reason,
        "message": message,
        "type": kind,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": "ergosphere"},
        "reportingComponent": "ergosphere.dev/operator",
        "reportingInstance": "ergosphere-operator",
    }
