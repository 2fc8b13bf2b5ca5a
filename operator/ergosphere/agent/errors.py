"""Everything that can go wrong for an agent and that it can tell the operator.

AgentError: carries the Failure to report
  Refused: a command does not fit the agent's state
  WorkFailed: an effect was not carried out
    LauncherRefused: the launcher said no
    LauncherLost: the launcher's answer never came; whether it acted is unknown
    NetworkFailed: the job network could not be shaped
    StoreFailed: the store or the disk could not be read or written
"""

from ergosphere.api.agent import Failure


class AgentError(Exception):
    """Base of all. `failure` is what a report may say about it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(reason=reason, message=message[:2048])


class Refused(AgentError):
    """The command does not fit the agent's state."""


class WorkFailed(AgentError):
    """An effect was not carried out."""


class LauncherRefused(WorkFailed):
    """The launcher answered that it could not do what it was asked; the program is as it was."""


class LauncherLost(WorkFailed):
    """The connection ended before an answer came; whether the request was carried out is unknown."""

    def __init__(self, op: str) -> None:
        super().__init__("LauncherLost", f"The launcher's socket closed before it answered {op}.")


class NetworkFailed(WorkFailed):
    """A command that shapes the network failed, or the kernel does not show what was asked of it."""

    def __init__(self, message: str) -> None:
        super().__init__("NetworkFailed", message)


class StoreFailed(WorkFailed):
    """The store or this worker's disk refused; `reason` is the store's own where it gave one."""
