"""What went wrong with a job's reconciliation: said in the log, and counted."""

import logging
from collections import defaultdict

import aiohttp

from . import metrics
from .kube import ApiError
from .reflector import Key
from .together import singly

_log = logging.getLogger(__name__)
_EXPECTED = (ApiError, aiohttp.ClientError, TimeoutError)


def report(key: Key, error: Exception) -> bool:
    """Say and count what went wrong with a job, alike things as one; whether it was conflicts alone."""
    alike: dict[tuple[type, str], list[BaseException]] = defaultdict(list)
    for each in singly(error):
        alike[type(each), each.reason if isinstance(each, ApiError) else ""].append(each)
    for errors in alike.values():
        _say(key, errors)
    return all(_conflict(errors[0]) for errors in alike.values())


def refusals(error: Exception) -> list[ApiError]:
    """What the API server refused, in the order in which it was asked for; not what was merely stale."""
    return [e for e in singly(error) if isinstance(e, ApiError) and not _conflict(e)]


def _say(key: Key, errors: list[BaseException]) -> None:
    first, more = errors[0], f" (and {len(errors) - 1} more)" if errors[1:] else ""
    expected = isinstance(first, _EXPECTED)
    level = logging.DEBUG if _conflict(first) else logging.WARNING if expected else logging.ERROR
    _log.log(level, "%s/%s: %s%s", *key, first, more, exc_info=None if expected else first)
    metrics.RECONCILE_ERRORS.labels(type(first).__name__ if expected else "bug").inc(len(errors))


def _conflict(error: BaseException) -> bool:
    """Whether what was written had changed since it was observed. A name that is taken stays so."""
    return isinstance(error, ApiError) and error.status == 409 and error.reason != "AlreadyExists"
