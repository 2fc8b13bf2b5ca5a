"""A server that answers whatever it is told to, a kubeconfig that names it, and `ergo` that asks it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from ergosphere.cli.main import app


@contextmanager
def answering(raw: bytes, length: int | None = None, status: int = 200) -> Iterator[str]:
    """A server's address; it says that so many bytes come, by default as many as do."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw) if length is None else length))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def kubeconfig(folder: Path, server: str, **fields: Any) -> Path:
    """A kubeconfig with the context c; `fields` replace parts of it, None leaves them out."""
    whole = {
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "lab"}}],
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    } | fields
    path = folder / "config"
    path.write_text(json.dumps({name: value for name, value in whole.items() if value is not None}))
    return path


def refused(path: Path, *arguments: str) -> tuple[int, str]:
    """The status and the one line of a command that must fail."""
    done = CliRunner().invoke(app, [*arguments, "--kubeconfig", str(path)])
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.exit_code, done.stderr.rstrip("\n")
