"""How a command fails, and with which exit status. Each failure is one line that says what to do.

Failure             1  the cluster refused, or what was waited for failed
  Misused           2  the command line is wrong
  NotFound          3  there is no object of that name
  Unreachable       4  the cluster cannot be reached, or does not allow it
  TimedOut          5  what was waited for did not come in time
"""

EXIT_STATUS = {
    0: "Done; with --wait, what was asked for is so.",
    1: "The cluster refused, or what was waited for failed; for `ergo doctor`, something is wrong.",
    2: "The command line is wrong.",
    3: "There is no object of that name.",
    4: "The cluster cannot be reached, or does not allow it.",
    5: "What was waited for did not come within --timeout.",
    130: "Interrupted. What was asked for stays asked for.",
}


class Failure(Exception):
    """The cluster refused, or what was waited for failed."""

    status = 1


class Misused(Failure):
    """The command line is wrong, in a way that only the command itself finds."""

    status = 2


class NotFound(Failure):
    """There is no object of that name."""

    status = 3


class Unreachable(Failure):
    """The cluster cannot be reached, or does not allow it."""

    status = 4


class TimedOut(Failure):
    """What was waited for did not come in time."""

    status = 5
