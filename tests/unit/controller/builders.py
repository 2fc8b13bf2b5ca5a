"""Fluent builders of what the operator observes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from ergosphere.api.agent import Exit, Failure, Phase, Platform, Report
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job import TrainingJob
from ergosphere.controller.view import JobView
from ergosphere.controller.worker import WorkerPod

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
PLATFORM = Platform(architecture="amd64", kernel="6.18", cpu_flags="f")


class Scene:
    """A job and what is around it; each method returns the scene changed."""

    def __init__(self, name: str = "a") -> None:
        container = {"name": "main", "image": "img", "command": ["train"]}
        container["resources"] = {"limits": {"nvidia.com/gpu": 1}}
        self.body: dict[str, Any] = {
            "metadata": {
                "name": name,
                "namespace": "ns",
                "uid": "u-1",
                "generation": 1,
                "resourceVersion": "1",
            },
            "spec": {"template": {"spec": {"containers": [container]}}, "tier": "standard"},
        }
        self.pods: list[WorkerPod] = []
        self.reports: dict[str, Report] = {}
        self.checkpoints: list[Checkpoint] = []
        self.answers: set[str] = set()
        self.waits: dict[str, float] = {}
        self.status: dict[str, Any] = {}

    def spec(self, **fields: Any) -> Self:
        self.body["spec"] |= fields
        return self

    def placed(self, *nodes: str, incarnation: int = 1, ran: bool = False, **status: Any) -> Self:
        places = [{"rank": rank, "node": node} for rank, node in enumerate(nodes)]
        self.status |= {"placement": places, "incarnation": incarnation, "placedTime": NOW.isoformat()}
        self.status |= {"ranIncarnation": incarnation if ran else incarnation - 1, **status}
        created = {"type": "PodsCreated", "status": "True", "reason": "PodsCreated"}
        self.status["conditions"] = [
            created | {"lastTransitionTime": NOW.isoformat(), "observedGeneration": 1}
        ]
        self.body["spec"]["workers"] = len(nodes)
        for rank, node in enumerate(nodes):
            pod = WorkerPod(
                f"a-{incarnation}-{rank}",
                f"p{incarnation}-{rank}",
                rank,
                incarnation,
                node,
                "10.0.0.1",
                "Running",
            )
            self.pods.append(pod)
        return self

    def report(self, phase: Phase, rank: int = 0, **fields: Any) -> Self:
        self.reports[f"p{self.status['incarnation']}-{rank}"] = Report(
            version=1,
            rank=rank,
            incarnation=self.status["incarnation"],
            phase=phase,
            platform=PLATFORM,
            **fields,
        )
        return self

    def running(self) -> Self:
        for pod in self.pods:
            self.report(Phase.RUNNING, pod.rank)
        return self

    def failed_agent(self, reason: str, rank: int = 0) -> Self:
        return self.report(Phase.FAILED, rank, failure=Failure(reason=reason, message="why"))

    def ended(self, code: int, rank: int = 0, **fields: Any) -> Self:
        phase = "Succeeded" if code == 0 else "Failed"
        return self.pod(rank, phase=phase, exit=Exit(code=code), **{"ended": NOW, **fields})

    def answered(self, rank: int) -> Self:
        self.answers.add(f"p{self.status['incarnation']}-{rank}")
        return self

    def unreached(self, rank: int, seconds: float) -> Self:
        self.waits[f"p{self.status['incarnation']}-{rank}"] = seconds
        return self

    def pod(self, rank: int = 0, **fields: Any) -> Self:
        self.pods = [replace(p, **fields) if p.rank == rank else p for p in self.pods]
        return self

    def without_pod(self, rank: int = 0) -> Self:
        self.pods = [p for p in self.pods if p.rank != rank]
        return self

    def cutting(
        self, name: str = "a-1", purpose: str = "Leave", reason: str = "Drain", **fields: Any
    ) -> Self:
        self.status["cut"] = {"name": name, "purpose": purpose, "reason": reason, **fields}
        return self

    def checkpoint(
        self, name: str, condition: str = "", uid: str = "c-1", because: str = "Because", **spec: Any
    ) -> Self:
        begun = condition or self.status.get("cut", {}).get("name") == name
        conditions = [{"type": condition, "status": "True", "reason": because, "message": "m"}]
        conditions[0] |= {"lastTransitionTime": NOW.isoformat()}
        body = {
            "metadata": {"name": name, "namespace": "ns", "uid": uid, "creationTimestamp": NOW.isoformat()},
            "spec": {"jobName": self.body["metadata"]["name"], **spec},
            "status": {
                "id": f"ns/a/{uid}" if begun else "",
                "jobUid": "u-1",
                "startTime": NOW.isoformat(),
                "conditions": conditions if condition else [],
                "completionTime": NOW.isoformat() if condition else None,
                "partsMs": {"dump": 5.0},
            },
        }
        self.checkpoints.append(Checkpoint.parse(body))
        return self

    def view(self) -> JobView:
        job = TrainingJob.parse({**self.body, "status": self.status})
        return JobView(
            job,
            tuple(self.pods),
            dict(self.reports),
            frozenset(self.answers),
            unreached=dict(self.waits),
            checkpoints=tuple(self.checkpoints),
        )
