"""Resources to test with: valid ones, with what a test is about changed."""

from typing import Any

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import Condition
from ergosphere.api.training_job import TrainingJob

LONG_AGO = "2026-01-01T00:00:00Z"


def container(name: str = "trainer", gpus: int | str | None = 1, **fields: Any) -> dict[str, Any]:
    resources = {} if gpus is None else {"resources": {"limits": {"nvidia.com/gpu": gpus}}}
    return {
        "name": name,
        "image": "example.org/trainer:1",
        "command": ["python3", "train.py"],
        **resources,
        **fields,
    }


def job(*containers: dict[str, Any], status: dict[str, Any] | None = None, **spec: Any) -> TrainingJob:
    template = {"spec": {"containers": list(containers) or [container()]}}
    return TrainingJob.parse(
        {
            "metadata": {"name": "digits", "namespace": "lab", "uid": "u-1"},
            "spec": {"template": template, **spec},
            "status": status or {},
        }
    )


def holds(kind: str, message: str = "") -> Condition:
    return Condition(
        type=kind, status="True", last_transition_time=LONG_AGO, reason="Tested", message=message
    )


def checkpoint(*conditions: Condition, name: str = "digits-1", ranks: int = 1, **metadata: Any) -> Checkpoint:
    return Checkpoint.parse(
        {
            "metadata": {"name": name, "namespace": "lab", **metadata},
            "spec": {"jobName": "digits"},
            "status": {"conditions": [c.to_dict() for c in conditions], "ranks": ranks},
        }
    )
