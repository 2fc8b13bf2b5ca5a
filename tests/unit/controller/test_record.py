"""What is written down about a checkpoint as its cut goes on."""

import pytest
from tests.unit.controller.builders import Scene

from ergosphere.api.checkpoint import CheckpointStatus
from ergosphere.controller.record import noted
from ergosphere.workload.pod import Worker, worker_pod
from ergosphere.workload.settings import PodSettings

UID = "01234567-89ab-cdef-0123-456789abcdef"


def begun(job: str, namespace: str) -> CheckpointStatus:
    scene = Scene(job).placed("n1", ran=True).checkpoint("mine", uid=UID)
    scene.body["metadata"]["namespace"] = namespace
    view = scene.view()
    status = noted(view, view.checkpoints[0], None)
    return CheckpointStatus.model_validate(status.to_dict())


def test_a_checkpoint_is_named_in_the_store_by_its_job_and_its_uid() -> None:
    assert begun("digits", "lab").id == f"lab/digits/{UID}"


@pytest.mark.parametrize("namespace", ["l", "l" * 63])
def test_a_job_of_any_name_can_be_cut(namespace: str) -> None:
    assert len(begun("j" * 253, namespace).id) == 253


@pytest.mark.parametrize("job", ["digits", "j" * 253])
def test_the_agent_stores_a_checkpoint_under_the_name_that_is_written_down(job: str) -> None:
    settings = PodSettings(agent_image="agent", store_url="file:///store")
    view = Scene(job).placed("n1").view()
    agent = worker_pod(view.job, Worker(0, 1, 1, "n1"), settings)["spec"]["initContainers"][0]
    environment = {e["name"]: e.get("value") for e in agent["env"]}
    assert f"{environment['ERGO_JOB']}/{UID}" == begun(job, view.job.namespace).id
