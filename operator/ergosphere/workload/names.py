"""Names and labels of the objects that belong to a job.

All are functions of the job alone, so creating an object twice is harmless.
"""

import hashlib

from ergosphere.api.meta import GROUP, LABEL_JOB, LABEL_JOB_UID, LABEL_MANAGED_BY, MANAGED_BY

# A pod's name is its host name too, and a host name has 63 characters at most (RFC 1123).
_LONGEST_STEM = 46
# What a Checkpoint's `status.id` has room for besides "/" and the uid of 36 characters.
_LONGEST_SHELF = 253 - 37


def stem(job: str) -> str:
    """The job's name, shortened to 46 characters with a digest when it is longer."""
    return _shortened(job, _LONGEST_STEM)


def _shortened(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: longest - 9].rstrip('-.')}-{digest}"


def pod_name(job: str, incarnation: int, rank: int) -> str:
    """The pod of one rank in one incarnation; at most 63 characters."""
    return f"{stem(job)}-{incarnation}-{rank}"


def host_name(job: str, rank: int) -> str:
    """The rank's host name for the job's life, whatever its pod is called: an RFC 1123 label.

    It names the pod's address, and so must not be the name of the rank's address in the job network.
    """
    return f"{stem(job).replace('.', '-')}-r{rank}"


def secret_name(job: str, uid: str, authority: str) -> str:
    """The secret with the agents' certificate. The uid keeps a job from meeting its deleted namesake's.

    `authority` tells who signed it: with another one, the next incarnation has another secret.
    """
    return f"{stem(job)}-{uid[:8]}-agent{'-' if authority else ''}{authority}"


def budget_name(job: str, uid: str) -> str:
    """The PodDisruptionBudget that holds evictions until the job has been cut; the uid as in the secret."""
    return f"{stem(job)}-{uid[:8]}"


def cut_name(job: str, uid: str, number: int) -> str:
    """The `Checkpoint` that the operator makes as the job's `number`-th cut.

    It may outlive the job, so the uid keeps a later namesake from taking it for its own.
    """
    return f"{stem(job)}-{uid[:8]}-{number}"


def shelf(namespace: str, job: str) -> str:
    """Where a job's checkpoints are in the store, `NAMESPACE/JOB`: 216 characters at most, with a digest."""
    return f"{namespace}/{_shortened(job, _LONGEST_SHELF - len(namespace) - 1)}"


def job_labels(job: str, uid: str) -> dict[str, str]:
    """Labels on every object of a job. A label's value has 63 characters at most, hence the stem."""
    return {LABEL_JOB: stem(job), LABEL_JOB_UID: uid, LABEL_MANAGED_BY: MANAGED_BY}


def server_name(uid: str) -> str:
    """The name in the agents' certificate of one job."""
    return f"{uid}.agents.{GROUP}"
