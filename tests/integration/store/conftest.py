"""A real S3 server on loopback, and a proxy before it that misbehaves when told to."""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cluster.binaries import build
from cluster.versions import read_versions

BUCKET = "checkpoints"


@dataclass(frozen=True)
class Gateway:
    """Where the server is, and what it wants to be told."""

    port: int
    access: str
    secret: str
    root: Path

    def options(self, port: int | None = None, secret: str | None = None) -> dict[str, str]:
        """What a Secret for the store would hold."""
        return {
            "endpoint": f"http://127.0.0.1:{port or self.port}",
            "access_key_id": self.access,
            "secret_access_key": secret or self.secret,
            "region": "us-east-1",
            "allow_http": "true",
        }


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A versitygw with one empty bucket."""
    root = tmp_path_factory.mktemp("s3")
    (root / BUCKET).mkdir()
    server = Gateway(free_port(), secrets.token_hex(8), secrets.token_hex(16), root)
    program = build(read_versions().go["versitygw"]) / "versitygw"
    log = (root.parent / f"{root.name}.log").open("wb")
    process = subprocess.Popen(
        [program, "--port", f"127.0.0.1:{server.port}", "--quiet", "posix", str(root)],
        env={**os.environ, "ROOT_ACCESS_KEY": server.access, "ROOT_SECRET_KEY": server.secret},
        stdout=log,
        stderr=log,
    )
    try:
        wait_for(server.port, process)
        yield server
    finally:
        process.kill()
        process.wait()
        log.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
