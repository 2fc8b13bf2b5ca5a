"""A job from start to end, without a move: the semantics of a batch/v1 Job."""

from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import CONTAINER, StartJob
from scenario.kubectl import Kubectl
from scenario.waiting import until


def test_a_job_runs_to_its_end_and_gives_its_gpu_back(start: StartJob, kubectl: Kubectl) -> None:
    job = start("ends", steps=20)
    done = job.until_phase(JobPhase.SUCCEEDED)
    assert done.status.gpus == 0
    assert done.status.completion_time
    assert [step.number for step in job.steps()] == list(range(20))
    assert "intact" in job.output()
    until("its pod to be over", lambda: not running_pods(kubectl, job.namespace))
    assert "intact" in kubectl.run("logs", f"{job.name}-1-0", "-n", job.namespace, "-c", CONTAINER)
    assert not kubectl.list("poddisruptionbudgets", job.namespace)


def test_a_failing_program_is_tried_again_and_then_given_up(start: StartJob) -> None:
    job = start("fails", steps=2, options=["--exit-code", "3"], backoffLimit=1)
    failed = job.until_condition("Failed", timeout=120)
    assert failed.reason == "BackoffLimitExceeded"
    assert "3" in failed.message
    assert job.read().status.failures == 2


def test_a_job_that_may_not_fail_is_given_up_at_once(start: StartJob) -> None:
    job = start("fails-once", steps=2, options=["--exit-code", "3"], backoffLimit=0)
    assert job.until_condition("Failed").reason == "BackoffLimitExceeded"
    assert job.read().status.failures == 1


def test_a_job_past_its_deadline_is_ended(start: StartJob, kubectl: Kubectl) -> None:
    job = start("late", steps=10_000, activeDeadlineSeconds=5)
    assert job.until_condition("Failed").reason == "DeadlineExceeded"
    until("its pods to be gone", lambda: not running_pods(kubectl, job.namespace))


def test_a_finished_job_is_deleted_after_its_time_to_live(start: StartJob) -> None:
    job = start("short-lived", steps=2, ttlSecondsAfterFinished=1)
    job.until_gone()


def test_deleting_a_running_job_leaves_nothing(start: StartJob, kubectl: Kubectl) -> None:
    job = start("deleted", steps=10_000, checkpoint={"deletionPolicy": "Delete"})
    job.until_step(5)
    job.checkpoint("kept-not")
    assert job.until_checkpoint("kept-not").ready
    kubectl.run("delete", "trainingjob", job.name, "-n", job.namespace, "--timeout=60s")

    def left() -> list[str]:
        kinds = "trainingjobs,checkpoints,pods,secrets,poddisruptionbudgets,services"
        return kubectl.run("get", kinds, "-n", job.namespace, "-o", "name").split()

    def nothing() -> bool:
        assert not left(), left()
        return True

    until("everything of the job to be gone", nothing)


def running_pods(kubectl: Kubectl, namespace: str) -> list[str]:
    pods = kubectl.list("pods", namespace)
    return [pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]
