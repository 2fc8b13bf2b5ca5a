"""Something that the owner of a job should know: the Event to come."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Happening:
    """A CamelCase reason and a sentence."""

    reason: str
    message: str
    warning: bool = False
