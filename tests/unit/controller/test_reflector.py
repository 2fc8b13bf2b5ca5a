"""When the copy of a collection may be acted upon."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from ergosphere.controller.kube import Kube, Object, Resource
from ergosphere.controller.reflector import Reflector
from ergosphere.controller.resources import SERVICE_TIERS


class Quiet:
    """An API server that has nothing of a kind, and never will."""

    async def list(self, resource: Resource) -> Object:
        return {"metadata": {"resourceVersion": "1"}, "items": []}

    async def watch(self, resource: Resource, version: str) -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}


async def test_a_collection_without_objects_says_that_it_is_in_step() -> None:
    told = asyncio.Event()
    reflector = Reflector(SERVICE_TIERS, lambda *_: None, told.set)
    following = asyncio.create_task(reflector.run(cast(Kube, Quiet())))
    await asyncio.wait_for(told.wait(), 5)
    assert reflector.synced.is_set()
    following.cancel()


def test_who_wrote_which_field_is_not_kept() -> None:
    reflector = Reflector(SERVICE_TIERS, lambda *_: None, lambda: None)
    metadata = {"name": "basic", "resourceVersion": "7", "managedFields": [{"manager": "kubectl"}]}
    reflector.put({"metadata": metadata, "spec": {"order": 1}})
    (kept,) = reflector.objects.values()
    assert kept == {"metadata": {"name": "basic", "resourceVersion": "7"}, "spec": {"order": 1}}
