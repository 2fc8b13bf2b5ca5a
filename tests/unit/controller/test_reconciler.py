"""Whose word is asked before a checkpoint's data is deleted."""

from typing import Any, cast

import pytest
from tests.unit.controller.test_cache import checkpoint, job

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.controller.cache import Cache
from ergosphere.controller.reconciler import Reconciler
from ergosphere.controller.reflector import Key
from ergosphere.controller.resources import CHECKPOINTS, TRAINING_JOBS

KEY = ("lab", "first")


def cluster(*jobs: dict[str, Any]) -> Cache:
    cache = Cache()
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "observedGeneration": 1}
    condition = ready | {"lastTransitionTime": "2026-01-01T12:00:00Z"}
    status = {"phase": "Ready", "id": "lab/one/first", "jobUid": "u1", "conditions": [condition]}
    cache.put(CHECKPOINTS, checkpoint("first", "one") | {"status": status})
    for body in jobs:
        cache.put(TRAINING_JOBS, body)
    return cache


def elsewhere(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"metadata": body["metadata"] | {"namespace": "other"}}


def needed(cache: Cache) -> bool:
    rest = cast(Any, None)
    return Reconciler(cache, rest, rest, rest, rest, 5.0)._needed("lab", cache.checkpoints()[KEY])


@pytest.mark.parametrize(
    ("user", "waits"),
    [
        (job("one", "u1"), True),
        (job("new", "u2", restoreFrom={"name": "first"}), True),
        (job("new", "u2", restoreFrom={"name": "second"}), False),
        (job("new", "u2"), False),
        (elsewhere(job("new", "u2", restoreFrom={"name": "first"})), False),
        (elsewhere(job("one", "u2")), False),
    ],
    ids=[
        "its own",
        "one that names it",
        "one that names another",
        "any",
        "one elsewhere",
        "a namesake elsewhere",
    ],
)
def test_the_data_waits_for_jobs_that_go_on_from_it(user: dict[str, Any], waits: bool) -> None:
    assert needed(cluster(user)) is waits


def test_of_many_jobs_only_those_are_looked_at_that_may_need_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = cluster(*(job(f"job-{n}", f"v{n}") for n in range(100)), job("one", "u1"))
    looked: list[Key] = []
    monkeypatch.setattr(cache, "view", lambda key, _: looked.append(key))
    assert not needed(cache)
    assert looked == [("lab", "one")]


async def test_a_checkpoint_that_cannot_be_forgotten_keeps_neither_its_job_nor_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = cluster(job("one", "u1"))
    cache.put(CHECKPOINTS, checkpoint("second", "one"))
    reconciler = Reconciler(cache, *[cast(Any, None)] * 4, 5.0)
    done: list[str] = []

    async def step(_: Key) -> bool:
        done.append("step")
        return False

    async def forget(_: str, found: Checkpoint) -> None:
        done.append(found.name)
        if found.name == "first":
            raise PermissionError

    monkeypatch.setattr(reconciler, "_step", step)
    monkeypatch.setattr(reconciler, "_forget", forget)
    with pytest.raises(ExceptionGroup):
        await reconciler.reconcile(("lab", "one"))
    assert done[0] == "step"
    assert set(done[1:]) == {"first", "second"}
