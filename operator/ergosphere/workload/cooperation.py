"""Programs that save their own state: what the launcher is told of it."""

import posixpath
import signal
from collections.abc import Mapping
from typing import Any

from ergosphere.api.training_job_spec import Cooperation

from .launcher import DEFAULT_GRACE_SECONDS


def arguments(cooperation: Cooperation | None, rank: int, world: int) -> list[str]:
    """The launcher's options for a rank of `world`. One worker may save for all, and that is rank 0."""
    if cooperation is None:
        return []
    options = {
        "--save-in": posixpath.normpath(cooperation.directory),
        "--save-signal": str(signal.Signals[cooperation.signal.value].value),
        "--save-within": str(cooperation.grace_period_seconds),
    }
    result = [word for option in options.items() for word in option]
    flags = {"--must-save": rank == 0, "--gang": world > 1}
    result += ["--no-aslr=false"]
    return [*result, *(flag for flag, is_set in flags.items() if is_set)]


def patient(pod_spec: Mapping[str, Any], cooperation: Cooperation | None) -> dict[str, Any]:
    """The pod's template with time to save when it is deleted, unless it says how long that may take."""
    result = dict(pod_spec)
    if cooperation is not None:
        seconds = cooperation.grace_period_seconds + DEFAULT_GRACE_SECONDS
        result.setdefault("terminationGracePeriodSeconds", seconds)
    return result
