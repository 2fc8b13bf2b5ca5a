"""Training jobs as the tests see them: started, watched, moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import API_VERSION, Condition, condition
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import JobPhase
from scenario.joblogs import JobLogs
from scenario.kubectl import Kubectl, Resource
from scenario.losses import Step, joined, parse, replayed
from scenario.waiting import until

CONTAINER = "train"


def job_manifest(name: str, image: str, command: list[str], *, gpus: int = 1, **spec: Any) -> Resource:
    """A TrainingJob with one worker on `gpus` GPUs. `spec` adds to its spec or replaces parts of it."""
    container = {
        "name": CONTAINER,
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"nvidia.com/gpu": gpus}},
    }
    template = {"spec": {"containers": [container]}}
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingJob",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


@dataclass(frozen=True, slots=True)
class Job:
    """A job on the cluster, and what it has printed."""

    kubectl: Kubectl
    namespace: str
    name: str
    logs: JobLogs

    def read(self) -> TrainingJob:
        """The job as it is now.

        Raises:
            AssertionError: it is not there.
        """
        body = self.kubectl.get("trainingjob", self.name, self.namespace)
        assert body, f"job {self.name} is not there"
        return TrainingJob.parse(body)

    def node(self) -> str:
        """The node that the job's only worker runs on.

        Raises:
            AssertionError: it is on none.
        """
        nodes = self.nodes()
        assert nodes, f"job {self.name} has no node"
        return nodes[0]

    def nodes(self) -> list[str]:
        """The nodes that the workers are placed on, in rank order; empty when they have none."""
        return [worker.node for worker in self.read().status.placement]

    def patch(self, spec: Mapping[str, Any]) -> None:
        """Change the job's spec."""
        self.kubectl.patch("trainingjob", self.name, self.namespace, {"spec": spec})

    def until_phase(self, phase: JobPhase, timeout: float = 90.0) -> TrainingJob:
        """Wait (seconds) until the job is in a phase."""

        def probe() -> TrainingJob | None:
            job = self.read()
            assert job.status.phase == phase, f"{job.status.phase}, {_said(job.status.conditions)}"
            return job

        return until(f"job {self.name} to be {phase}", probe, timeout=timeout)

    def until_condition(self, kind: str, timeout: float = 90.0) -> Condition:
        """Wait (seconds) until a condition is True, and return it."""

        def probe() -> Condition | None:
            job = self.read()
            found = condition(job.status.conditions, kind)
            assert found, f"{job.status.phase}, {_said(job.status.conditions)}"
            assert found.status == "True", _said([found])
            return found

        return until(f"job {self.name} to have condition {kind}", probe, timeout=timeout)

    def until_step(self, number: int, timeout: float = 90.0) -> None:
        """Wait (seconds) until the program has printed a step."""
        until(
            f"job {self.name} to print step {number}",
            lambda: any(step.number >= number for step in parse("".join(self.logs.pieces()))),
            timeout=timeout,
        )

    def until_incarnation(self, number: int, timeout: float = 120.0) -> None:
        """Wait (seconds) until the program of an incarnation with this number or a later one prints."""

        def probe() -> bool:
            job = self.read()
            assert job.status.incarnation >= number, (
                f"incarnation {job.status.incarnation} {job.status.phase}"
            )
            return any(text for at, text in self.logs.numbered() if at >= number)

        until(f"job {self.name} to go on as incarnation {number}", probe, timeout=timeout)

    def until_gone(self, timeout: float = 60.0) -> None:
        """Wait (seconds) until the job's object is deleted."""
        until(
            f"job {self.name} to be gone",
            lambda: self.kubectl.get("trainingjob", self.name, self.namespace) is None,
            timeout=timeout,
        )

    def steps(self) -> list[Step]:
        """All steps of the finished job, each exactly once.

        Raises:
            ValueError: an incarnation did not go on where the one before was cut.
        """
        return joined(parse(text) for text in self.logs.finish())

    def steps_with_repetitions(self) -> list[Step]:
        """All steps of the finished job, once each, though some were done again after a failure.

        Raises:
            ValueError: a step is missing, or was repeated with another result.
        """
        return replayed(parse(text) for text in self.logs.finish())

    def steps_so_far(self) -> list[Step]:
        """The steps printed until now.

        Raises:
            ValueError: as `steps`.
        """
        return joined(parse(text) for text in self.logs.pieces())

    def output(self) -> str:
        """All that the finished job has printed."""
        return "".join(self.logs.finish())

    def checkpoint(self, name: str) -> None:
        """Ask for a checkpoint of this job."""
        self.kubectl.apply(self.checkpoint_manifest(name))

    def checkpoint_manifest(self, name: str) -> Resource:
        """A Checkpoint of this job."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Checkpoint",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"jobName": self.name},
        }

    def until_checkpoint(self, name: str, timeout: float = 60.0) -> Checkpoint:
        """Wait (seconds) until a checkpoint of this job is ready or has failed."""

        def probe() -> Checkpoint | None:
            body = self.kubectl.get("checkpoint", name, self.namespace)
            assert body, f"checkpoint {name} is not there"
            found = Checkpoint.parse(body)
            assert found.ready or found.failed, f"{found.status.phase}, {_said(found.status.conditions)}"
            return found

        return until(f"checkpoint {name} to end", probe, timeout=timeout)

    def events(self) -> list[str]:
        """The reasons of the events about this job, oldest first."""
        found = self.kubectl.run(
            *("get", "events", "-n", self.namespace, "--sort-by=.metadata.creationTimestamp"),
            *("--field-selector", f"involvedObject.kind=TrainingJob,involvedObject.name={self.name}"),
            *("-o", r'jsonpath={range .items[*]}{.reason}{"\n"}{end}'),
        )
        return found.split()


def _said(conditions: list[Condition]) -> str:
    return "; ".join(f"{c.type}={c.status} {c.reason}: {c.message}" for c in conditions) or "no conditions"


class StartJob(Protocol):
    """Starts a job of the tests' own program, which checks what it holds."""

    def __call__(
        self,
        name: str,
        *,
        steps: int,
        options: Sequence[str] = (),
        security: Mapping[str, int] | None = None,
        home: str = "",
        **spec: Any,
    ) -> Job:
        """Apply a job that runs `steps` steps of 0.1 s; `spec` is more of its spec."""


class StartDigits(Protocol):
    """Starts a job of the digits example."""

    def __call__(self, name: str, *, steps: int, options: Sequence[str] = (), **spec: Any) -> Job:
        """Apply a job that trains `steps` steps of 0.04 s; `spec` is more of its spec."""


class StartGang(Protocol):
    """Starts a job of several workers, whose program is the fixture's."""

    def __call__(self, name: str, *, options: Sequence[str] = (), **spec: Any) -> Job:
        """Apply a job of four workers on two GPUs each, thus on two nodes; `spec` is more of its spec."""


class StartElastic(Protocol):
    """Starts a job whose program saves its own state, and goes on with any number of workers."""

    def __call__(self, name: str, *, workers: int, steps: int) -> Job:
        """Apply a job that trains `steps` steps in all, whatever the number of workers becomes."""
