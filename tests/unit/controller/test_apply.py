"""What is there already when it is to be made."""

from typing import Any, cast

import pytest
from tests.unit.controller.builders import Scene

from ergosphere.api.checkpoint import CheckpointReason
from ergosphere.controller.acts import CreateCheckpoint
from ergosphere.controller.apply import Applier
from ergosphere.controller.certificates import new_authority
from ergosphere.controller.kube import Object, Resource
from ergosphere.workload.settings import PodSettings


class Api:
    """An API server that has a checkpoint of this job under every name, if a job is given."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.written: list[Object] = []
        self.said: list[str] = []

    async def create(self, resource: Resource, body: Object) -> Object | None:
        return None if self.job else body

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return {"metadata": {"namespace": namespace, "name": name}, "spec": {"jobName": self.job}}

    async def apply(self, resource: Resource, body: Object, subresource: str = "") -> Object:
        self.written.append(body)
        return body

    async def record(self, regarding: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.said.append(reason)


async def cut(api: Any) -> tuple[Object | None, str]:
    """What beginning a cut finds or makes, and the job's name."""
    view = Scene().placed("n1").cutting().view()
    none = cast(Any, None)
    applier = Applier(api, none, api, new_authority(), PodSettings("agent", "file:///store"), 5.0)
    act = CreateCheckpoint("next", CheckpointReason.PREEMPTION)
    return await applier.carry_out(view, act), view.job.name


@pytest.mark.parametrize("own", [True, False], ids=["from an attempt before", "new"])
async def test_the_checkpoint_of_a_cut_is_the_job_s_own(own: bool) -> None:
    api = Api("a" if own else "")
    found, job = await cut(api)
    assert found
    assert found["spec"]["jobName"] == job
    assert not api.written


async def test_a_checkpoint_that_somebody_made_under_the_name_of_the_next_cut_ends_that_cut() -> None:
    api = Api("decoy")
    found, _ = await cut(api)
    assert found is None
    (written,) = api.written
    assert "cut" not in written["status"]
    assert written["status"]["notBefore"]
    assert api.said == ["CheckpointNameTaken"]
