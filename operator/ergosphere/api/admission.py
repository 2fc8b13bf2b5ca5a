"""What takes a second object to check, and so cannot be left to the API server: errors for the webhook.

Each error names the field and says what is allowed. An update is held only to what it changes, so that an
object whose tier or job has gone since can still be edited, finished and deleted.
"""

from collections.abc import Collection, Iterable, Mapping

from ergosphere.api.checkpoint import FAILED, Checkpoint, CheckpointReason
from ergosphere.api.meta import condition
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_spec import CheckpointMode

_LISTED = 10


def training_job_errors(
    new: TrainingJob, old: TrainingJob | None, tiers: Collection[str], checkpoints: Mapping[str, Checkpoint]
) -> list[str]:
    """Return why a TrainingJob must be refused; nothing when it may pass.

    `old` is None on creation. `tiers` are the names of all ServiceTiers; `checkpoints` hold, by name, at
    least the one of the job's namespace that it starts from, where there is one.
    """
    errors: list[str] = []
    if old is None or old.spec.tier != new.spec.tier:
        errors += _tier(new.spec.tier, tiers)
    if old is None:
        errors += _restore(new, checkpoints)
    elif old.spec.template.to_dict() != new.spec.template.to_dict():
        # CEL misses a change of fields that only Kubernetes knows, where as many came as went.
        errors.append("spec.template: is immutable: create a new TrainingJob instead")
    return errors


def checkpoint_errors(new: Checkpoint, old: Checkpoint | None, jobs: Mapping[str, TrainingJob]) -> list[str]:
    """Return why a Checkpoint must be refused; nothing when it may pass.

    `old` is None on creation. `jobs` hold, by name, at least the TrainingJob of the checkpoint's namespace
    that it cuts, where there is one.
    """
    if old is not None:
        return []
    job = jobs.get(new.spec.job_name)
    if job is None:
        return [
            f'spec.jobName: there is no TrainingJob "{new.spec.job_name}" in namespace "{new.namespace}";'
            " it must name one of the Checkpoint's own namespace"
        ]
    if new.spec.reason is CheckpointReason.REQUESTED and (job.finished or job.deleted):
        return [f'spec.jobName: the TrainingJob "{job.name}" has ended; only one that has not can be saved']
    return []


def _tier(tier: str, tiers: Collection[str]) -> Iterable[str]:
    if tier not in tiers:
        yield f'spec.tier: there is no ServiceTier "{tier}"; {_choice(tiers)}'


def _restore(job: TrainingJob, checkpoints: Mapping[str, Checkpoint]) -> Iterable[str]:
    if job.spec.restore_from is None:
        return
    name = job.spec.restore_from.name
    checkpoint = checkpoints.get(name)
    if checkpoint is None:
        where = f'there is no Checkpoint "{name}" in namespace "{job.namespace}"'
        yield f"spec.restoreFrom.name: {where}; it must name a Ready one of the job's own namespace"
    elif problem := _unusable(checkpoint):
        yield f'spec.restoreFrom.name: the Checkpoint "{name}" {problem}'
    elif (
        job.spec.checkpoint.mode is CheckpointMode.TRANSPARENT and checkpoint.status.ranks != job.spec.workers
    ):
        yield f'spec.workers: must be {checkpoint.status.ranks}, as many as the Checkpoint "{name}" holds'


def _unusable(checkpoint: Checkpoint) -> str:
    if checkpoint.deleted:
        return "is being deleted; it must be Ready"
    if checkpoint.failed:
        failed = condition(checkpoint.status.conditions, FAILED)
        return f"has failed ({failed.message if failed else ''}); it must be Ready"
    return "" if checkpoint.ready else "is not complete yet; it must be Ready"


def _choice(names: Collection[str]) -> str:
    if not names:
        return "an administrator must create one first"
    listed = sorted(names)[:_LISTED]
    rest = len(names) - len(listed)
    return f"it must be one of: {', '.join(listed)}" + (f" and {rest} more" if rest else "")
