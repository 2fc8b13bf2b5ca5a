import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from tests.integration.agent.certificates import give_job_its_keys
from tests.integration.agent.wire import Wire
from tests.integration.agent.workers import Workers
from tests.integration.launcher.bundle import build_binaries

from ergosphere.controller.certificates import client_context, new_authority


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """The operator's connections; the job's keys lie in `tls`."""
    authority = new_authority()
    give_job_its_keys(authority, tmp_path / "tls")
    connector = aiohttp.TCPConnector(ssl=client_context(authority))
    async with aiohttp.ClientSession(connector=connector) as client:
        yield client


@pytest.fixture(scope="session")
def binaries() -> Iterator[Path]:
    """The launcher and CRIU."""
    if os.getuid() != 0:
        pytest.skip("pods are made of mounts and user namespaces, which takes root")
    with tempfile.TemporaryDirectory(prefix="ergosphere-") as directory:
        Path(directory).chmod(0o755)
        build_binaries(Path(directory))
        yield Path(directory)


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory; pytest's own ones are closed to the users of a pod."""
    home = Path(tempfile.mkdtemp(prefix="ergosphere-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home)


@pytest.fixture
async def workers(binaries: Path, home: Path, wire: Wire) -> AsyncIterator[Workers]:
    authority = new_authority()
    give_job_its_keys(authority, home / "tls")
    connector = aiohttp.TCPConnector(ssl=client_context(authority), socket_factory=wire.socket)
    async with aiohttp.ClientSession(connector=connector) as client:
        yield Workers(home, binaries, wire, client)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()
