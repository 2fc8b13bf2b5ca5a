"""A running job leaves its node and goes on elsewhere at the very next step."""

import random

import pytest

from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import StartDigits, StartJob
from scenario.kubectl import Kubectl
from scenario.losses import Step, first_difference
from scenario.moves import move
from scenario.waiting import until

MOVES = 10


def test_draining_its_node_moves_a_job(start: StartJob, kubectl: Kubectl) -> None:
    job = start("drained", steps=150)
    job.until_step(20)
    first = job.node()
    try:
        kubectl.run("drain", first, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
        job.until_incarnation(2)
        assert job.node() != first
    finally:
        kubectl.run("uncordon", first)
    job.until_phase(JobPhase.SUCCEEDED)
    assert [step.number for step in job.steps()] == list(range(150))
    assert "intact" in job.output()
    assert job.read().status.failures == 0


def test_a_program_has_no_capabilities_before_and_after_a_move(start: StartJob, kubectl: Kubectl) -> None:
    job = start("powerless", steps=120)
    job.until_step(20)
    move(job, kubectl)
    job.until_phase(JobPhase.SUCCEEDED)
    before, after = (credentials(text) for text in job.logs.finish())
    none = "CapInh={0} CapPrm={0} CapEff={0} CapBnd={0} CapAmb={0} NoNewPrivs=1".format("0" * 16)
    assert before == {f"Uid=1000 Gid=1000 {none}"}
    assert after == before


@pytest.mark.parametrize("user", [{"runAsUser": 0}, {"runAsUser": 4711, "runAsGroup": 4712}])
def test_a_job_runs_as_the_user_of_its_template(
    start: StartJob, kubectl: Kubectl, user: dict[str, int]
) -> None:
    job = start("somebody", steps=120, security=user, home="/tmp")
    job.until_step(10)
    move(job, kubectl)
    job.until_phase(JobPhase.SUCCEEDED)
    identity = f"Uid={user['runAsUser']} Gid={user.get('runAsGroup', 0)} "
    for text in job.logs.finish():
        assert credentials(text)
        assert all(line.startswith(identity) for line in credentials(text))
    assert "intact" in job.output()


def test_deleting_its_pod_cuts_a_job_within_the_grace_period(start: StartJob, kubectl: Kubectl) -> None:
    job = start("evicted", steps=150)
    job.until_step(20)
    (pod,) = kubectl.list("pods", job.namespace)
    kubectl.run("delete", "pod", pod["metadata"]["name"], "-n", job.namespace, "--timeout=60s")
    job.until_phase(JobPhase.SUCCEEDED)
    assert [step.number for step in job.steps()] == list(range(150))
    assert "SIGTERM" not in job.output()
    assert job.read().status.failures == 0


def test_a_suspended_job_holds_no_gpu_and_goes_on_where_it_was_cut(start: StartJob, kubectl: Kubectl) -> None:
    job = start("paused", steps=150)
    job.until_step(20)
    job.patch({"suspend": True})
    suspended = job.until_phase(JobPhase.SUSPENDED)
    assert suspended.status.gpus == 0
    until("its pod to be gone", lambda: not kubectl.list("pods", job.namespace))
    job.patch({"suspend": False})
    job.until_phase(JobPhase.SUCCEEDED)
    assert [step.number for step in job.steps()] == list(range(150))


def test_a_job_that_starts_suspended_waits(start: StartJob, kubectl: Kubectl) -> None:
    job = start("waits", steps=5, suspend=True)
    job.until_phase(JobPhase.SUSPENDED)
    assert not kubectl.list("pods", job.namespace)
    job.patch({"suspend": False})
    job.until_phase(JobPhase.SUCCEEDED)


def test_ten_moves_at_random_moments_change_no_bit(
    start_digits: StartDigits, reference: list[Step], kubectl: Kubectl
) -> None:
    chance = random.Random(2022)
    job = start_digits("wanders", steps=1200)
    for _ in range(MOVES):
        job.until_step(len(job.steps_so_far()) + chance.randrange(5, 60))
        move(job, kubectl)
    job.until_phase(JobPhase.SUCCEEDED, timeout=240)
    assert len(job.logs.pieces()) == MOVES + 1
    assert first_difference(job.steps(), reference[:1200]) == ""
    assert job.read().status.failures == 0


def test_ten_moves_with_the_operator_killed_in_each_change_no_bit(
    start_digits: StartDigits, reference: list[Step], kubectl: Kubectl
) -> None:
    chance = random.Random(2207)
    job = start_digits("haunted", steps=1_000_000, options=["--pace", "0.1"])
    for _ in range(MOVES):
        job.until_step(len(job.steps_so_far()) + chance.randrange(3, 20))
        move(job, kubectl, kill_after=chance.uniform(0.0, 4.0))
    assert job.read().status.failures == 0
    kubectl.run("delete", "trainingjob", job.name, "-n", job.namespace, "--timeout=90s")
    steps = job.steps()
    assert len(job.logs.pieces()) == MOVES + 1
    assert first_difference(steps, reference[: len(steps)]) == ""


def credentials(text: str) -> set[str]:
    return {line for line in text.splitlines() if line.startswith("Uid=")}
