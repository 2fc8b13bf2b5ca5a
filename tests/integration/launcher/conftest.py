"""Pods without a cluster, each with namespaces and a user mapping of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.integration.launcher.bundle import build_binaries
from tests.integration.launcher.pod import Pod
from tests.integration.launcher.pods import Pods
from tests.integration.launcher.rootfs import IDS, Template

_mappings = count(1)


@pytest.fixture(scope="session")
def binaries() -> Iterator[Path]:
    if os.getuid() != 0:
        pytest.skip("pods are made of mounts and user namespaces, which takes root")
    with tempfile.TemporaryDirectory(prefix="ergosphere-") as directory:
        Path(directory).chmod(0o755)
        build_binaries(Path(directory))
        yield Path(directory)


@pytest.fixture
def pods(binaries: Path) -> Iterator[Pods]:
    # pytest's own directories are closed to the users of a pod.
    home = Path(tempfile.mkdtemp(prefix="ergosphere-"))
    home.chmod(0o755)
    made: list[Pod] = []

    def make(template: Template) -> Pod:
        number = next(_mappings)
        pod = Pod(home / str(number), binaries, (number + 15) * IDS, template)
        made.append(pod)
        return pod

    pods = Pods(make, home)
    yield pods
    pods.close()
    for pod in made:
        pod.delete()
    shutil.rmtree(home)
