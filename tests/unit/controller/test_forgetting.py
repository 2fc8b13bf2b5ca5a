"""What the API server's refusals mean for the data of a checkpoint that is being deleted."""

from typing import Any

import pytest

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import FINALIZER
from ergosphere.controller.forgetting import Forgetting
from ergosphere.controller.kube import ApiError
from ergosphere.workload.settings import PodSettings

GONE = ApiError(404, "NotFound", 'namespaces "ns" not found')
GOING = ApiError(
    403,
    "Forbidden",
    'pods "x" is forbidden: unable to create new content in namespace ns because it is being terminated',
)
QUOTA = ApiError(403, "Forbidden", 'pods "x" is forbidden: exceeded quota: pods')
DENIED = ApiError(403, "Forbidden", 'admission webhook "theirs" denied the request')
DOWN = ApiError(503, "ServiceUnavailable", "the server is not ready")


class Refusing:
    """An API server that takes no pods, and a recorder of the Events about it."""

    def __init__(self, error: ApiError) -> None:
        self.error = error
        self.merged: list[Any] = []
        self.said: list[str] = []

    async def get(self, *_: Any) -> None:
        return None

    async def create(self, *_: Any) -> None:
        raise self.error

    async def merge(self, *args: Any) -> None:
        self.merged.append(args[-1])

    async def record(self, _: Any, reason: str, *__: Any, **___: Any) -> None:
        self.said.append(reason)


async def looks(server: Refusing, number: int) -> None:
    """The operator looks at the checkpoint so many times."""
    metadata = {"name": "mine", "namespace": "ns", "uid": "c-1", "finalizers": [FINALIZER]}
    status = {"id": "ns/a/c-1", "phase": "Deleting"}
    checkpoint = Checkpoint.parse({"metadata": metadata, "spec": {"jobName": "a"}, "status": status})
    settings = PodSettings(agent_image="agent", store_url="file:///store")
    forgetting = Forgetting(server, server, settings)  # type: ignore[arg-type]
    for _ in range(number):
        await forgetting.advance(checkpoint, {})


@pytest.mark.parametrize("error", [QUOTA, DENIED, DOWN])
async def test_a_refusal_that_may_pass_is_no_reason_to_leave_the_data(error: ApiError) -> None:
    server = Refusing(error)
    await looks(server, 9)
    assert (server.said, server.merged) == (["FailedCreate"], [])


@pytest.mark.parametrize("error", [GONE, GOING])
async def test_a_namespace_that_is_being_deleted_does_not_wait_for_the_data(error: ApiError) -> None:
    server = Refusing(error)
    await looks(server, 1)
    assert server.said == ["CheckpointDataLeft"]
    assert [body["metadata"]["finalizers"] for body in server.merged] == [[]]
