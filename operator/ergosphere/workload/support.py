"""The objects around a job's pods: the agents' certificate and the budget that holds evictions."""

from base64 import b64encode
from typing import Any

from ergosphere.api.meta import LABEL_JOB_UID
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_spec import MAX_WORKERS

from .names import budget_name, job_labels, secret_name
from .pod import owner


def agent_secret(job: TrainingJob, authority: str, files: dict[str, bytes]) -> dict[str, Any]:
    """The secret with the agents' key, signed by `authority`; `files` maps file names to PEM contents."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(job, secret_name(job.name, job.uid, authority)),
        "immutable": True,
        "data": {name: b64encode(content).decode() for name, content in files.items()},
    }


def disruption_budget(job: TrainingJob) -> dict[str, Any]:
    """A budget of zero: no eviction succeeds while the job has a pod; the operator moves the job instead.

    `maxUnavailable: 0` would say the same, but it is only counted for owners with a scale subresource.
    The number of workers may change while the budget stays, so it asks for more than there can ever be.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(job, budget_name(job.name, job.uid)),
        "spec": {
            "minAvailable": MAX_WORKERS,
            "selector": {"matchLabels": {LABEL_JOB_UID: job.uid}},
        },
    }


def _metadata(job: TrainingJob, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": job.namespace,
        "labels": job_labels(job.name, job.uid),
        "ownerReferences": [owner(job)],
    }
