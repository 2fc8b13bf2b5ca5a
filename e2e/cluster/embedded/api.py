"""The few calls to the API server that making a cluster needs."""

import json
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 10.0


class Api:
    """An administrator's connection. Calls raise OSError when the server cannot be reached or refuses."""

    def __init__(self, server: str, credentials: Path) -> None:
        """Take the server's URL and the directory of ca.crt, admin.crt and admin.key."""
        self._server = server
        self._context = ssl.create_default_context(cafile=str(credentials / "ca.crt"))
        self._context.load_cert_chain(credentials / "admin.crt", credentials / "admin.key")

    def _open(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        kind: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(self._server + path, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=timeout, context=self._context)

    def get(self, path: str) -> dict[str, Any]:
        """Read an object or a list."""
        with self._open(path) as response:
            return dict(json.load(response))

    def merge(self, path: str, change: object) -> None:
        """Apply a JSON merge patch."""
        self._open(path, "PATCH", change, "application/merge-patch+json").close()

    def watch(self, path: str, seconds: int) -> Iterator[dict[str, Any]]:
        """Yield the objects of a collection as they are and as they change, for some seconds."""
        with self._open(
            f"{path}?watch=true&timeoutSeconds={seconds}", timeout=seconds + TIMEOUT_SECONDS
        ) as response:
            for line in response:
                yield json.loads(line)["object"]
