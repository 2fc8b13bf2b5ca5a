"""The chart is upgraded, removed and installed again under a job that trains on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ergosphere.api.training_job_status import JobPhase
from scenario import helm
from scenario.ergo import Ergo
from scenario.jobs import StartJob
from scenario.kubectl import Kubectl

STEPS = 900


@pytest.fixture
def kubeconfig(kubectl: Kubectl) -> Iterator[Path]:
    """Where to install; whatever the test leaves, the present chart is there for the others."""
    path = Path(kubectl.kubeconfig)
    yield path
    helm.install(path)


def test_a_job_trains_on_whatever_becomes_of_its_operator(
    start: StartJob, kubectl: Kubectl, kubeconfig: Path, namespace: str, tmp_path: Path
) -> None:
    helm.install(kubeconfig, helm.previous_chart(tmp_path))
    job = start("trains-on", steps=STEPS)
    job.until_step(5)
    job.checkpoint("kept")
    assert job.until_checkpoint("kept").ready

    helm.install(kubeconfig)
    job.until_step(len(job.steps_so_far()) + 10)

    helm.uninstall(kubeconfig)
    job.until_step(len(job.steps_so_far()) + 20)
    kept = kubectl.run("get", "trainingjobs,checkpoints", "-n", namespace, "-o", "name").split()
    assert kept == ["trainingjob.ergosphere.dev/trains-on", "checkpoint.ergosphere.dev/kept"]
    assert job.read().status.incarnation == 1

    helm.install(kubeconfig)
    Ergo(kubectl.kubeconfig, namespace)("migrate", "trains-on", "--wait")
    job.until_phase(JobPhase.SUCCEEDED, timeout=180)
    assert [step.number for step in job.steps()] == list(range(STEPS))
    status = job.read().status
    assert (status.incarnation, status.restarts, status.failures) == (2, 1, 0)
