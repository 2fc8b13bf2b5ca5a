"""The Kubernetes API over plain HTTP, so that a test sees exactly what the API server answers."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

Object = dict[str, Any]
_TIMEOUT_SECONDS = 60
# The field of the remark that rules in CEL wait until the schema is met.
_NOT_CHECKED = "<nil>"


@dataclass(frozen=True)
class Answer:
    """What the API server said. `body` is the object, or the Status of a refusal."""

    status: int
    body: Any

    @property
    def object(self) -> Object:
        """The object of a request that must have succeeded."""
        assert 200 <= self.status <= 299, self.body
        return self.body

    @property
    def causes(self) -> dict[str, str]:
        """What a refusal finds fault with: message by field."""
        assert 400 <= self.status <= 499, self.body
        causes = self.body["details"]["causes"]
        return {cause["field"]: cause["message"] for cause in causes if cause["field"] != _NOT_CHECKED}


class Api:
    """Requests to one API server."""

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        self._address = urlsplit(server)
        self._context = context

    def get(self, path: str, accept: str = "application/json") -> Answer:
        """Read an object, a list or a table."""
        return self._send("GET", path, None, {"Accept": accept})

    def create(self, path: str, body: Object) -> Answer:
        """Create an object in a collection."""
        return self._send("POST", path, body, {"Content-Type": "application/json"})

    def merge(self, path: str, body: Object) -> Answer:
        """Change some fields of an object; None removes one."""
        return self._send("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})

    def apply(self, path: str, body: Object, manager: str, *, force: bool = False) -> Answer:
        """Server-side apply as `manager`."""
        query = urlencode({"fieldManager": manager, "force": str(force).lower()})
        return self._send("PATCH", f"{path}?{query}", body, {"Content-Type": "application/apply-patch+yaml"})

    def delete(self, path: str) -> Answer:
        """Delete an object."""
        return self._send("DELETE", path, None, {})

    def _send(self, method: str, path: str, body: Object | None, headers: Mapping[str, str]) -> Answer:
        assert self._address.hostname
        connection = http.client.HTTPSConnection(
            self._address.hostname, self._address.port, timeout=_TIMEOUT_SECONDS, context=self._context
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body), dict(headers))
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, json.loads(raw) if is_json else raw.decode())
