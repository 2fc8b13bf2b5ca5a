"""When the copy of a collection may be acted upon."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, cast

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.controller.collecting import over
from ergosphere.controller.fleet import fleet
from ergosphere.controller.kube import Kube, Object, Resource
from ergosphere.controller.reflector import Reflector
from ergosphere.controller.resources import PODS, SERVICE_TIERS


class Quiet:
    """An API server that has nothing of a kind, and never will."""

    async def list(self, resource: Resource, kept: Callable[[Object], Object]) -> Object:
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


def pod(**metadata: Any) -> Object:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "2", "cpu": "4"}}}
    names = {"name": "p", "namespace": "lab", "uid": "u", "resourceVersion": "7"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **names,
            "creationTimestamp": "2026-01-01T12:00:00Z",
            "annotations": {"a": "b"},
            **metadata,
        },
        "spec": {"nodeName": "n1", "volumes": [{}], "containers": [gpu | {"env": [{}]}, {"name": "side"}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [{}]},
    }


def remembered(obj: Object) -> Object:
    reflector = Reflector(PODS, lambda *_: None, lambda: None)
    reflector.put(obj)
    return reflector.objects["lab", "p"]


def test_of_a_pod_that_is_no_worker_only_what_is_read_is_kept() -> None:
    kept = remembered(pod(labels={"app": "web"}, deletionTimestamp="2026-01-02T12:00:00Z"))
    given = pod(labels={"app": "web"}, deletionTimestamp="2026-01-02T12:00:00Z")
    del given["metadata"]["annotations"]
    gpus = [{"resources": {"limits": {"nvidia.com/gpu": "2"}}}]
    spec, status = {"nodeName": "n1", "containers": gpus}, {"phase": "Running"}
    assert kept == given | {"spec": spec, "status": status}


def test_what_is_kept_of_a_pod_still_says_which_gpus_are_taken_and_how_old_it_is() -> None:
    kept = remembered(pod())
    node = {"metadata": {"name": "n1"}, "spec": {}, "status": {"allocatable": {"nvidia.com/gpu": "8"}}}
    assert fleet([node], [kept], {}, ()).nodes["n1"].foreign == 2
    assert over(kept, datetime(2026, 1, 1, 14, tzinfo=UTC))


def test_a_worker_s_pod_is_kept_as_it_is() -> None:
    labels = {LABEL_JOB_UID: "j", LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    worker = {"labels": labels, "ownerReferences": [{"uid": "j", "controller": True}]}
    assert remembered(pod(**worker)) == pod(**worker)
