"""Whom to look at although nothing happened: as time passes, deadlines and intervals come."""

from collections.abc import Mapping

from ergosphere.api.training_job import TrainingJob

from .reflector import Key

_CALM_AT_ONCE = 1000
"""However many jobs there are, a round takes a fraction of a second."""


def due(jobs: Mapping[Key, TrainingJob], number: int) -> set[Key]:
    """The jobs to look at in the round of that number.

    All that are on their way somewhere, and in turns those that stand or run as they are to. Any of them
    comes in one of as many rounds in a row as there are times `_CALM_AT_ONCE` jobs.
    """
    living = {key: job for key, job in jobs.items() if not job.finished or _expires(job)}
    calm = [key for key, job in living.items() if _calm(job)]
    turns = -(-len(calm) // _CALM_AT_ONCE) or 1
    return living.keys() - set(calm) | set(calm[number % turns :: turns])


def _calm(job: TrainingJob) -> bool:
    status = job.status
    arrived = status.ran_incarnation == status.incarnation if status.placement else not job.deleted
    return status.cut is None and arrived


def _expires(job: TrainingJob) -> bool:
    return job.spec.ttl_seconds_after_finished is not None
