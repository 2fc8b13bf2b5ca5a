"""What can go wrong with a store, by what the caller can do about it.

Every error carries a CamelCase `reason` for conditions and events. Messages name objects and limits,
never credentials.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class StoreError(Exception):
    """Any failure of a store. `retryable` says whether the same call may succeed later, unchanged."""

    reason: ClassVar[str] = "StoreFailed"
    retryable: ClassVar[bool] = False


class Unavailable(StoreError):
    """The backend did not answer, throttled, or failed on its side, also after backing off."""

    reason = "StoreUnavailable"
    retryable = True


class Full(StoreError):
    """No space, or a quota is used up. Deleting checkpoints and collecting helps; repeating does not."""

    reason = "StoreFull"


class Denied(StoreError):
    """The backend refuses the credential, or the key does not open what is stored."""

    reason = "StoreDenied"


class Missing(StoreError):
    """No such checkpoint or rank, or an object that a manifest names is gone."""

    reason = "CheckpointMissing"


class Corrupt(StoreError):
    """Stored bytes are not those that were written. Another checkpoint may still be whole."""

    reason = "CheckpointCorrupt"


class Refused(StoreError):
    """The checkpoint was abandoned or deleted, or exists with other content."""

    reason = "CheckpointRefused"


class Invalid(StoreError, ValueError):
    """An argument or an input file is not of the allowed form; the message says what is."""

    reason = "InvalidInput"


_BY_NUMBER: dict[int, type[StoreError]] = {
    errno.ENOSPC: Full,
    errno.EDQUOT: Full,
    errno.EFBIG: Full,
    errno.ENOENT: Missing,
    errno.EACCES: Denied,
    errno.EPERM: Denied,
    errno.EROFS: Denied,
}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the system's errors about `what` into ours; those of no known cause are `Unavailable`."""
    try:
        yield
    except OSError as error:
        number = error.errno or errno.EIO
        raise _BY_NUMBER.get(number, Unavailable)(f"{what}: {os.strerror(number)}") from error
