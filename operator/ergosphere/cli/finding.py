"""What a check found, and how to mend it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ergosphere.cli.failure import Failure, NotFound


class State(StrEnum):
    """How good what was found is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and how to mend it where it is not as it should be."""

    check: str
    state: State
    says: str
    mend: str = ""


def missing(check: str, failure: Failure, mend: str) -> Finding:
    """What was not told is unknown, what is not there is wrong."""
    state = State.WRONG if isinstance(failure, NotFound) else State.UNKNOWN
    return Finding(check, state, str(failure), mend)


def numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version, such as v1.37.2 or 6.18.0-arch1."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def dotted(version: tuple[int, ...]) -> str:
    """The version as it is written."""
    return ".".join(map(str, version))
