"""The few calls to the API server that making a cluster needs."""

import json
import ssl
import urllib.request
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

    def get(self, path: str) -> dict[str, Any]:
        """Read an object or a list."""
        with urllib.request.urlopen(
            self._server + path, timeout=TIMEOUT_SECONDS, context=self._context
        ) as response:
            return dict(json.load(response))
