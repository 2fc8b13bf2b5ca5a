"""One API server with the project's kinds for the whole run; a namespace of its own for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import yaml
from tests.integration.api import Api
from tests.integration.control_plane import ControlPlane, Programs, control_plane
from tests.integration.established import await_established
from tests.integration.helm import Helm

from cluster.binaries import build
from cluster.versions import read_versions
from ergosphere.api.render import files

_namespaces = count(1)


@pytest.fixture(scope="session")
def programs() -> Programs:
    if shutil.which("go") is None:
        pytest.skip("Go is needed to build kube-apiserver and etcd, and there is none on this machine")
    versions = read_versions()
    kubernetes = build(versions.go["kubernetes"])
    etcd = build(versions.go["etcd"])
    return Programs(etcd / "etcd", kubernetes / "kube-apiserver", kubernetes / "kubectl")


@pytest.fixture(scope="session")
def helm_program(programs: Programs) -> Path:
    return build(read_versions().go["helm"]) / "helm"


@pytest.fixture(scope="module")
def helm(helm_program: Path, programs: Programs) -> Iterator[Helm]:
    """Helm, and an API server of its own to install on."""
    directory = tempfile.TemporaryDirectory(prefix="ergosphere-")
    with directory as path, control_plane(programs, Path(path)) as plane:
        yield Helm(helm_program, plane)


@pytest.fixture(scope="session")
def bare(programs: Programs) -> Iterator[ControlPlane]:
    """An API server that knows nothing of this project. Its directory's path is short, for its sockets."""
    with (
        tempfile.TemporaryDirectory(prefix="ergosphere-") as directory,
        control_plane(programs, Path(directory)) as p,
    ):
        yield p


@pytest.fixture(scope="session")
def plane(bare: ControlPlane) -> ControlPlane:
    """An API server with the project's kinds."""
    for text in files().values():
        created = bare.api.create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(text)
        )
        await_established(bare.api, created.object["metadata"]["name"])
    return bare


@pytest.fixture
def api(plane: ControlPlane) -> Api:
    return plane.api


@pytest.fixture
def namespace(api: Api) -> str:
    name = f"test-{next(_namespaces)}"
    assert api.create("/api/v1/namespaces", {"metadata": {"name": name}}).object
    return name
