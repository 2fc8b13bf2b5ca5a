"""Pods that are refused: asked for again ever later, and the job says why."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.controller.builders import Scene

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK, condition
from ergosphere.api.training_job_status import TrainingJobStatus
from ergosphere.controller import creating
from ergosphere.controller.certificates import new_authority
from ergosphere.controller.creating import Creating
from ergosphere.controller.kube import ApiError, Object, Resource
from ergosphere.controller.mishaps import report
from ergosphere.controller.resources import PODS
from ergosphere.controller.view import JobView
from ergosphere.workload.pod import Worker
from ergosphere.workload.settings import PodSettings

SETTINGS = PodSettings(agent_image="agent", store_url="file:///store")
AUTHORITY = new_authority()
QUOTA = ApiError(403, "Forbidden", "exceeded quota")


class Api:
    """An API server that answers the creation of a pod with `refusal`, or has `there` by that name."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.there: Object | None = None
        self.asked: list[str] = []
        self.events: list[tuple[str, str, bool]] = []

    async def create(self, resource: Resource, body: Object) -> Object | None:
        if resource is not PODS:
            return body
        self.asked.append(body["metadata"]["name"])
        if self.refusal:
            raise self.refusal
        return None if self.there else body

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return self.there

    async def record(self, regarding: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append((reason, message, warning))


class Desk:
    """Creates the pods of one placed job, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *nodes: str) -> None:
        self.api, self.scene = Api(), Scene().placed(*nodes)
        self.now = 0.0
        monkeypatch.setattr(creating, "time", SimpleNamespace(monotonic=lambda: self.now))
        self._creating = Creating(self.api, self.api, AUTHORITY, SETTINGS, self._write)  # type: ignore[arg-type]

    async def _write(self, view: JobView, status: TrainingJobStatus) -> Object:
        self.scene.status = status.to_dict()
        return {}

    async def create(self) -> Exception | None:
        """Try; what was raised."""
        view = self.scene.view()
        incarnation = view.job.status.incarnation
        places = view.job.status.placement
        workers = [Worker(p.rank, len(places), incarnation, p.node) for p in places]
        try:
            await self._creating.create(view, workers)
        except Exception as error:
            return error
        return None

    async def waits(self) -> float:
        """For how long from now no pod is asked for."""
        since, asked = self.now, len(self.api.asked)
        while len(self.api.asked) == asked:
            self.now += 0.5
            await self.create()
        return self.now - since

    def said(self) -> tuple[str, str, str]:
        found = condition(self.scene.view().job.status.conditions, "PodsCreated")
        assert found
        return found.status, found.reason, found.message

    def forget(self) -> None:
        self._creating.forget(set())


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch, "n1", "n2")


def pod(**metadata: Any) -> Object:
    return {"metadata": {"name": "a-1-0", **metadata}}


async def test_the_job_and_an_event_say_why_its_pods_are_refused(desk: Desk) -> None:
    desk.api.refusal = QUOTA
    error = await desk.create()
    assert error is not None
    assert not report(("ns", "a"), error)
    assert desk.said() == ("False", "FailedCreate", "exceeded quota (and 1 more)")
    assert desk.api.events == [("FailedCreate", "exceeded quota (and 1 more)", True)]


async def test_refused_pods_are_asked_for_ever_more_rarely(desk: Desk) -> None:
    desk.api.refusal = QUOTA
    await desk.create()
    assert [await desk.waits() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_job_waits_as_its_own_pods_were_refused_in_this_incarnation(desk: Desk) -> None:
    desk.api.refusal = QUOTA
    for _ in range(4):
        await desk.waits()
    asked = len(desk.api.asked)
    desk.scene.status["incarnation"] = 2
    await desk.create()
    assert len(desk.api.asked) == asked + 2


async def test_pods_that_are_created_after_all_are_waited_for_no_longer(desk: Desk) -> None:
    desk.api.refusal = QUOTA
    for _ in range(4):
        await desk.waits()
    desk.api.refusal = None
    await desk.waits()
    desk.api.refusal = QUOTA
    assert isinstance(await desk.create(), ExceptionGroup)
    assert await desk.waits() == 1


@pytest.mark.parametrize("error", [TimeoutError(), ApiError(409, "Conflict", "stale")])
async def test_what_passes_by_itself_is_no_refusal(desk: Desk, error: Exception) -> None:
    desk.api.refusal = error
    await desk.create()
    await desk.create()
    assert (desk.api.events, len(desk.api.asked)) == ([], 4)


async def test_a_pod_of_ours_that_the_watch_has_not_shown_yet_is_there(desk: Desk) -> None:
    labels = {LABEL_JOB_UID: "u-1", LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    desk.api.there = pod(labels=labels, ownerReferences=[{"uid": "u-1", "controller": True}])
    assert await desk.create() is None
    assert desk.api.events == []


async def test_another_s_pod_of_the_same_name_is_not_ours(desk: Desk) -> None:
    owner = {"kind": "StatefulSet", "name": "a-1", "uid": "other", "controller": True}
    desk.api.there = pod(ownerReferences=[owner])
    error = await desk.create()
    assert error is not None
    # It is not as if the job had changed meanwhile: that would be tried again at once.
    assert not report(("ns", "a"), error)
    message = "pod a-1-0 exists and is no worker of this job: it belongs to StatefulSet a-1 (and 1 more)"
    assert desk.said() == ("False", "FailedCreate", message)
    assert [await desk.waits() for _ in range(3)] == [1, 2, 4]


async def test_a_pod_that_is_being_deleted_is_waited_for_without_alarm(desk: Desk) -> None:
    owner = {"kind": "TrainingJob", "name": "a", "uid": "deleted", "controller": True}
    desk.api.there = pod(ownerReferences=[owner], deletionTimestamp="2026-01-01T12:00:00Z")
    await desk.create()
    assert "it belongs to TrainingJob a and is being deleted" in desk.said()[2]
    assert desk.api.events == []
    assert [await desk.waits() for _ in range(3)] == [1, 1, 1]


async def test_a_job_that_is_gone_is_forgotten(desk: Desk) -> None:
    desk.api.refusal = QUOTA
    for _ in range(4):
        await desk.waits()
    desk.forget()
    await desk.create()
    assert await desk.waits() == 1
