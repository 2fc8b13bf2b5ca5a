"""Leader election by Lease: at most one operator writes.

Expiry is judged by the local monotonic clock since the lease was last seen to change, never by the
times written in it, so clocks that disagree do no harm.
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp

from .kube import ApiError, Kube, Object
from .resources import LEASES

_log = logging.getLogger(__name__)
NAME = "ergosphere-operator"
DURATION_SECONDS = 15
_RENEW_SECONDS = 5


class Leadership:
    """Acquires and keeps the lease. `identity` must be unique among operators."""

    def __init__(self, kube: Kube, namespace: str, identity: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._identity = identity
        self._seen: tuple[str, float] = ("", 0.0)
        self._end = 0.0

    async def acquire(self) -> None:
        """Return once this operator leads."""
        while True:
            if await self._try():
                break
            await asyncio.sleep(_RENEW_SECONDS / 2)
        _log.info("leading as %s", self._identity)

    async def keep(self) -> None:
        """Renew until the lease is lost; then return, and the process must end."""
        while time.monotonic() < self._end:
            # A request that gets no answer must not outlast the lease.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._end - time.monotonic()):
                    await asyncio.sleep(_RENEW_SECONDS)
                    await self._try()

    async def release(self) -> None:
        """Give the lease up, so that the next operator need not wait for its end."""
        lease = await self._kube.get(LEASES, self._namespace, NAME)
        if lease and lease["spec"].get("holderIdentity") == self._identity:
            lease["spec"]["holderIdentity"] = ""
            await self._kube.replace(LEASES, lease)

    async def _try(self) -> bool:
        began = time.monotonic()
        held = await self._write()
        if held:
            # Others wait for DURATION_SECONDS from when they see it; this operator stops well before.
            self._end = began + DURATION_SECONDS - _RENEW_SECONDS
        return held

    async def _write(self) -> bool:
        try:
            lease = await self._kube.get(LEASES, self._namespace, NAME)
            if lease is None:
                return await self._kube.create(LEASES, self._fresh()) is not None
            if not self._may_take(lease):
                return False
            lease["spec"] = self._fresh()["spec"]
            await self._kube.replace(LEASES, lease)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            _log.warning("lease not renewed: %s", error)
            return False
        return True

    def _may_take(self, lease: Object) -> bool:
        holder = lease["spec"].get("holderIdentity")
        if not holder or holder == self._identity:
            return True
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, time.monotonic())
        return time.monotonic() - self._seen[1] > DURATION_SECONDS

    def _fresh(self) -> Object:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": DURATION_SECONDS,
                "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
