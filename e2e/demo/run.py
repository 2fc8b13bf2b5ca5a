"""The demo's one job: trained, driven off its node, and compared with a run that never moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from cluster.gpus import RESOURCE
from cluster.paths import REPOSITORY
from demo.report import Report, compare
from ergosphere.api.training_job_status import JobPhase
from scenario import reference_run
from scenario.joblogs import JobLogs
from scenario.jobs import Job
from scenario.kubectl import Kubectl
from scenario.losses import parse

NAMESPACE = "demo"
MANIFEST = REPOSITORY / "examples" / "digits.yaml"
STEPS_BEFORE_THE_MOVE = 100


def move_digits(kubectl: Kubectl, folder: Path) -> Report:
    """Run `examples/digits.yaml` with a drain in the middle; its pods' output goes to `folder`.

    Raises:
        StillWaitingError: something took too long; the message says what, and what was seen last.
        KubectlError: the cluster refused something.
    """
    manifest = yaml.safe_load(MANIFEST.read_text())
    name = manifest["metadata"]["name"]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    with (
        _fresh_namespace(kubectl),
        JobLogs(kubectl, NAMESPACE, name, container["name"], folder) as logs,
    ):
        kubectl.run("apply", "-n", NAMESPACE, "-f", str(MANIFEST))
        job = Job(kubectl, NAMESPACE, name, logs)
        job.until_phase(JobPhase.RUNNING, timeout=120)
        first = job.node()
        _say(f"{name} trains on {first}")
        with _uninterrupted(kubectl, container, avoid=first) as reference:
            second = _drive_off(kubectl, job, first)
            done = job.until_phase(JobPhase.SUCCEEDED, timeout=240)
            pieces = [parse(text) for text in logs.finish()]
            steps = reference.steps(timeout=240)
    return compare([first, second], pieces, steps, done.status.timings)


def _drive_off(kubectl: Kubectl, job: Job, node: str) -> str:
    """Drain the node once the job has trained a while; return the node that the job went on on."""
    job.until_step(STEPS_BEFORE_THE_MOVE)
    _say(f"step {STEPS_BEFORE_THE_MOVE} is done; kubectl drain {node}")
    try:
        kubectl.run("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
        job.until_incarnation(2)
    finally:
        kubectl.run("uncordon", node)
    _say(f"{job.name} trains on {job.node()}")
    return job.node()


def _uninterrupted(kubectl: Kubectl, container: dict[str, Any], avoid: str) -> Any:
    nodes = [
        node["metadata"]["name"] for node in kubectl.list("nodes") if RESOURCE in node["status"]["capacity"]
    ]
    other = next(node for node in nodes if node != avoid)
    return reference_run.started(
        kubectl, NAMESPACE, "uninterrupted", container["image"], container["command"], node=other
    )


@contextmanager
def _fresh_namespace(kubectl: Kubectl) -> Iterator[None]:
    kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    kubectl.run("create", "namespace", NAMESPACE)
    yield


def _say(line: str) -> None:
    print(f"  {line}", flush=True)
