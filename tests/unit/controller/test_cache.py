"""What belongs to a job, found among everything that there is."""

from typing import Any

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.controller.cache import Cache
from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.reflector import Key
from ergosphere.controller.resources import CHECKPOINTS, PODS, TRAINING_JOBS

_versions = iter(range(1, 1000))


def named(name: str, **metadata: Any) -> dict[str, Any]:
    version = str(next(_versions))
    return {"metadata": {"name": name, "namespace": "lab", "resourceVersion": version, **metadata}}


def job(name: str, uid: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "main", "image": "img"}]}}
    return named(name, uid=uid) | {"spec": {"template": template, **spec}}


def pod(name: str, uid: str) -> dict[str, Any]:
    labels = {LABEL_JOB_UID: uid, LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    owners = [{"uid": uid, "controller": True}]
    return named(name, uid=f"uid-of-{name}-{uid}", labels=labels, ownerReferences=owners) | {"spec": {}}


def checkpoint(name: str, of: str) -> dict[str, Any]:
    return named(name, uid=f"uid-of-{name}") | {"spec": {"jobName": of}}


def seen(cache: Cache, name: str) -> tuple[list[str], list[str]]:
    view = cache.view(("lab", name), {})
    assert view is not None
    return [p.name for p in view.pods], [c.name for c in view.checkpoints]


def gone(cache: Cache, resource: Resource, obj: Object) -> None:
    """As the watch tells it."""
    cache._reflectors[resource]._take({"type": "DELETED", "object": obj})


def test_a_job_is_seen_with_its_own_pods_and_checkpoints_and_where_it_starts_from() -> None:
    cache = Cache()
    cache.put(TRAINING_JOBS, job("one", "u1"))
    cache.put(TRAINING_JOBS, job("two", "u2", restoreFrom={"name": "first"}))
    for each in (pod("one-1-0", "u1"), pod("two-1-0", "u2")):
        cache.put(PODS, each)
    for each in (checkpoint("first", "one"), checkpoint("second", "one"), checkpoint("third", "two")):
        cache.put(CHECKPOINTS, each)
    assert seen(cache, "one") == (["one-1-0"], ["first", "second"])
    assert seen(cache, "two") == (["two-1-0"], ["first", "third"])
    assert [c.name for c in cache.checkpoints_for(("lab", "one"))] == ["first", "second"]
    assert cache.checkpoints_for(("lab", "none")) == []


def test_what_is_gone_is_forgotten_and_its_job_looked_at() -> None:
    woken: list[Key] = []
    cache = Cache(woken.append)
    cache.put(TRAINING_JOBS, job("one", "u1"))
    worker, first = pod("one-1-0", "u1"), checkpoint("first", "one")
    cache.put(PODS, worker)
    cache.put(CHECKPOINTS, first)
    woken.clear()
    gone(cache, PODS, worker)
    gone(cache, CHECKPOINTS, first)
    assert seen(cache, "one") == ([], [])
    assert woken == [("lab", "one")] * 2


def test_a_pod_of_the_same_name_that_is_another_job_s_is_not_the_first_one_s() -> None:
    cache = Cache()
    cache.put(TRAINING_JOBS, job("one", "u2"))
    cache.put(PODS, pod("one-1-0", "u1"))
    cache.put(PODS, pod("one-1-0", "u2"))
    assert [p["metadata"]["uid"] for p in cache.pods_of("lab", "u1")] == []
    assert seen(cache, "one")[0] == ["one-1-0"]
