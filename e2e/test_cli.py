"""`ergo` on real nodes: what a simulated kubelet cannot show."""

import json
from pathlib import Path

import pytest

from ergosphere.api.training_job_status import JobPhase
from scenario.ergo import Ergo
from scenario.jobs import StartJob
from scenario.kubectl import Kubectl
from scenario.losses import parse


@pytest.fixture
def ergo(kubectl: Kubectl, namespace: str) -> Ergo:
    return Ergo(kubectl.kubeconfig, namespace)


def test_a_job_goes_where_its_owner_says_and_its_log_goes_on(
    start: StartJob, ergo: Ergo, kubectl: Kubectl, tmp_path: Path
) -> None:
    job = start("moved", steps=500)
    job.until_step(5)
    first = job.node()
    target = next(node for node in kubectl.worker_nodes() if node != first)
    with ergo.following("moved", tmp_path / "log") as following:
        moved = json.loads(ergo("migrate", "moved", "--to", target, "--wait", "-o", "json"))
        assert moved["nodes"] == [target] == [job.node()]
        ergo("suspend", "moved", "--wait")
        ergo("resume", "moved", "--wait")
        job.until_phase(JobPhase.SUCCEEDED, timeout=180)
        assert following.wait(timeout=30) == 0
    assert [step.number for step in parse((tmp_path / "log").read_text())] == list(range(500))
    told = json.loads(ergo("describe", "moved", "-o", "json"))["timeline"]
    why = [entry["why"] for entry in told if entry["what"] == "Cutting"]
    assert any(text.endswith(f"Leaves {first}, as its owner asks.") for text in why)


def test_the_doctor_s_own_job_goes_the_whole_way(ergo: Ergo) -> None:
    findings = json.loads(ergo("doctor", "--try", "-o", "json"))
    assert [f["check"] for f in findings if f["state"] == "wrong"] == []
    assert sum(finding["check"].startswith("trial") for finding in findings) == 4
