"""What the store asks of a place to keep objects: whole, durable writes under flat keys."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

Data = bytes | memoryview


@dataclass(frozen=True)
class Entry:
    """One object in a listing: key, size in bytes, and when it was written (seconds since the epoch)."""

    key: str
    size: int
    modified: float


class Blobs(Protocol):
    """A flat namespace of objects. Blocking, and safe to use from several threads.

    A write that returned survives a crash, and no reader ever sees part of one; a deletion may be undone by
    a crash. All methods raise `StoreError`s; a key that is not there is `Missing`.
    """

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        """Write the concatenation of `parts` under `key`, replacing what was there.

        What is not `durable` may be gone, or be what was there before, after a crash of the machine.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Write `data` under `key` if nothing is there; False, changing nothing, if something is."""

    def get(self, key: str) -> bytes:
        """The whole object."""

    def get_range(self, key: str, start: int, length: int) -> Data:
        """Exactly `length` bytes from `start`; `Corrupt` if the object is too short for that."""

    def list(self, prefix: str) -> Iterator[Entry]:
        """All objects whose key begins with `prefix`, which ends in a slash."""

    def delete(self, key: str) -> None:
        """Remove the object; no error if there is none."""

    def distrust(self, key: str) -> bool:
        """Told that what it gave for `key` was damaged: whether another reading may give something else."""
