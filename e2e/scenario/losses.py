"""What a training program printed, as steps that can be compared bit by bit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"step=(\d+) loss=\S+ bits=([0-9a-f]{16})\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the program: its step and the loss as the hex of an IEEE 754 double."""

    number: int
    bits: str


def parse(text: str) -> list[Step]:
    """The steps in a log, in the order they were printed; other lines are left out."""
    found = (_LINE.match(line) for line in text.splitlines())
    return [Step(int(match[1]), match[2]) for match in found if match]


def joined(pieces: Iterable[Sequence[Step]]) -> list[Step]:
    """The logs of a job's incarnations one after the other.

    Raises:
        ValueError: a piece does not go on at the step after the one before it ended: something
            was lost, or done twice.
    """
    whole: list[Step] = []
    for piece in pieces:
        if whole and piece and piece[0].number != whole[-1].number + 1:
            raise ValueError(f"cut after step {whole[-1].number}, but went on with step {piece[0].number}")
        whole.extend(piece)
    return whole


def replayed(pieces: Iterable[Sequence[Step]]) -> list[Step]:
    """As `joined`, but a piece may go on from an earlier step, and then repeats what came after it.

    Raises:
        ValueError: a piece left a step out, or repeated one with another result.
    """
    whole: list[Step] = []
    for piece in pieces:
        if not piece:
            continue
        if piece[0].number > len(whole):
            raise ValueError(f"{len(whole)} steps were done, but it went on with step {piece[0].number}")
        again = whole[piece[0].number :]
        difference = first_difference(piece[: len(again)], again[: len(piece)])
        if difference:
            raise ValueError(f"a repeated step has another result: {difference}")
        whole.extend(piece[len(again) :])
    return whole


def first_difference(one: Sequence[Step], other: Sequence[Step]) -> str:
    """Where two runs differ first, in words; empty when they are the same to the last bit."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return f"step {mine.number}: {mine.bits} against step {theirs.number}: {theirs.bits}"
    return "" if len(one) == len(other) else f"{len(one)} steps against {len(other)}"
