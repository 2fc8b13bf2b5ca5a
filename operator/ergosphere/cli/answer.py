"""What an API server answers, and what is said of an answer that does not come, or is none."""

import json
from typing import Any

from urllib3.exceptions import HTTPError, ProtocolError

from ergosphere.cli.failure import Failure, NotFound, Unreachable
from ergosphere.controller.kube import Object

_ALLOWED = {401: "log in again", 403: "ask an administrator for that permission"}


def body_of(response: Any, server: str) -> bytes:
    """All of an answer. Raises Unreachable where it is cut off."""
    try:
        raw: bytes = response.data
    except (HTTPError, OSError) as error:
        raise broken(error, server) from error
    return raw


def object_in(raw: bytes, server: str) -> Object:
    """The JSON object of an answer. Raises Unreachable where it is anything else, and says what."""
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        # A proxy's page to log in at, for one.
        raise Unreachable(f"{server} does not answer as an API server does: {_excerpt(raw) or 'nothing'}")
    return answer


def broken(error: BaseException, server: str) -> Unreachable:
    """The connection broke while an answer came."""
    return Unreachable(f"the connection to {server} broke: {cause(error)}")


def cause(error: BaseException) -> str:
    """What is behind the layers of an HTTP client's errors."""
    reason = getattr(error, "reason", None)
    if isinstance(error, ProtocolError):
        # Its text is a tuple that says the cause twice.
        reason = error.args[-1]
    if isinstance(reason, BaseException):
        return cause(reason)
    # "HTTPSConnection(host=..., port=...): " says again where to.
    return str(reason or error).rpartition("): ")[2]


def refusal(status: int, raw: bytes) -> Failure:
    """What a server refuses, in its own words."""
    try:
        message = str(json.loads(raw)["message"])
    except (ValueError, TypeError, KeyError):
        if status == 404:
            return Unreachable(
                "the cluster does not know Ergosphere's kinds; `ergo doctor` says what is missing"
            )
        message = f"{status}: {_excerpt(raw)}"
    if status in _ALLOWED:
        return Unreachable(f"{message}; {_ALLOWED[status]}")
    return NotFound(message) if status == 404 else Failure(message)


def _excerpt(raw: bytes) -> str:
    """The beginning of an answer, on one line."""
    return " ".join(raw[:200].decode(errors="replace").split())
