"""The cluster of the end-to-end tests, and what each test starts on it."""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cluster.__main__ import provider
from cluster.embedded.provider import EmbeddedProvider
from cluster.kind.provider import KindProvider
from cluster.provider import ClusterError
from scenario import diagnosis, reference_run
from scenario.extent import Extent
from scenario.joblogs import JobLogs
from scenario.jobs import (
    CONTAINER,
    Job,
    StartDigits,
    StartElastic,
    StartGang,
    StartJob,
    job_manifest,
)
from scenario.kubectl import Kubectl
from scenario.losses import Step
from scenario.names import DDP_IMAGE, DIGITS_IMAGE, WORKER_IMAGE
from scenario.system import DDP, DIGITS, WORKER, stand_up

FOLDER = Path(__file__).parent
OUTPUT = FOLDER.parent / "build" / "e2e"
REFERENCE_STEPS = 4000
DDP_STEPS = 500
GANG = {"workers": 4, "gpus": 2}
STANDING = os.environ.get("ERGO_E2E_CLUSTER", "")
# Tests that are about one way of making clusters, and left out where another one is chosen.
ABOUT = {"test_cluster.py": EmbeddedProvider, "test_kind.py": KindProvider}

# The last of all takes the operator's rights away for a while, and gives it others.
LAST = [FOLDER / "test_permissions.py", FOLDER / "test_upgrades.py"]
PICKED = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Refuse to start without a way of making clusters."""
    try:
        provider()
    except ClusterError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header() -> list[str]:
    """Say which clusters are used, and what is left out for that reason."""
    chosen = provider()
    left_out = [name for name, kind in ABOUT.items() if not isinstance(chosen, kind)]
    said = [f"{', '.join(left_out)} left out: about other clusters"] if left_out else []
    return [f"clusters: {type(chosen).__name__}", *said]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what is about other clusters."""
    about = ABOUT.get(collection_path.name)
    return True if about and not isinstance(provider(), about) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those tests run last that look back at all others."""
    items.sort(key=lambda item: LAST.index(item.path) if item.path in LAST else -1)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember that tests were left out."""
    for item in items:
        item.config.stash[PICKED] = True


@pytest.fixture
def extent(request: pytest.FixtureRequest) -> Extent:
    """How much of the tests this run has been."""
    session, config = request.session, request.config
    there = {path.name for path in FOLDER.glob("test_*.py")}
    return Extent(
        there={name for name in there if isinstance(provider(), ABOUT.get(name, object))},
        ran={item.path.name for item in session.items if item.path.parent == FOLDER},
        picked=config.stash.get(PICKED, False) or any("::" in argument for argument in config.args),
        failed=session.testsfailed,
        standing=bool(STANDING),
    )


@pytest.fixture(scope="session")
def cluster() -> str:
    """The name of the cluster: one of the tests' own, or one that stands and is kept (ERGO_E2E_CLUSTER)."""
    return STANDING or "e2e"


@pytest.fixture(scope="session")
def kubectl(cluster: str) -> Iterator[Kubectl]:
    """The system, installed on the cluster."""
    try:
        yield stand_up(cluster, DIGITS, DDP, WORKER)
    finally:
        if not STANDING:
            provider().delete(cluster)


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; what is in it is written to build/e2e when the test fails."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    kubectl.run("create", "namespace", name)
    yield name
    if request.node.stash.get(FAILED, False):
        diagnosis.write(kubectl, name, OUTPUT / request.node.name)
    kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def followed(kubectl: Kubectl, namespace: str, request: pytest.FixtureRequest) -> Iterator["Followed"]:
    """Applies jobs and follows their output until the test ends."""
    with ExitStack() as stack:
        yield Followed(kubectl, namespace, OUTPUT / request.node.name, stack)


@pytest.fixture
def start(followed: "Followed") -> StartJob:
    """Starts jobs of the tests' own program."""

    def start_job(
        name: str,
        *,
        steps: int,
        options: Sequence[str] = (),
        security: Mapping[str, int] | None = None,
        home: str = "",
        **spec: Any,
    ) -> Job:
        command = ["python3", "/app/worker.py", "--steps", str(steps), *options]
        body = job_manifest(name, WORKER_IMAGE, command, **spec)
        container = body["spec"]["template"]["spec"]["containers"][0]
        container |= {"securityContext": dict(security)} if security else {}
        container |= {"workingDir": home} if home else {}
        return followed.apply(body)

    return start_job


@pytest.fixture
def start_digits(followed: "Followed") -> StartDigits:
    """Starts jobs of the digits example."""

    def start_job(name: str, *, steps: int, options: Sequence[str] = (), **spec: Any) -> Job:
        command = ["python3", "/app/train.py", "--steps", str(steps), *options]
        return followed.apply(job_manifest(name, DIGITS_IMAGE, command, **spec))

    return start_job


@pytest.fixture
def start_ddp(followed: "Followed") -> StartGang:
    """Starts jobs of the data-parallel example."""

    def start_job(name: str, *, options: Sequence[str] = (), **spec: Any) -> Job:
        command = ["python3", "/app/train.py", "--steps", str(DDP_STEPS), *options]
        return followed.apply(job_manifest(name, DDP_IMAGE, command, **GANG, **spec))

    return start_job


@pytest.fixture
def start_chatter(followed: "Followed") -> StartGang:
    """Starts jobs whose ranks stream to each other and check every byte."""

    def start_job(name: str, *, options: Sequence[str] = (), **spec: Any) -> Job:
        command = ["python3", "/app/chatter.py", name, *options]
        return followed.apply(job_manifest(name, WORKER_IMAGE, command, **GANG, **spec))

    return start_job


@pytest.fixture
def start_elastic(followed: "Followed") -> StartElastic:
    """Starts jobs of the example that saves its own state."""

    def start_job(name: str, *, workers: int, steps: int) -> Job:
        command = ["python3", "/app/elastic.py", "--steps", str(steps)]
        saves = {"mode": "Cooperative", "cooperative": {"directory": "/state", "gracePeriodSeconds": 60}}
        return followed.apply(job_manifest(name, DIGITS_IMAGE, command, workers=workers, checkpoint=saves))

    return start_job


@pytest.fixture(scope="session")
def ddp_reference(kubectl: Kubectl) -> list[Step]:
    """The losses of a data-parallel run, all its ranks in one pod, that Ergosphere had no part in."""
    rank = f"RANK=$rank python3 /app/train.py --steps {DDP_STEPS} --pace 0"
    peers = "export WORLD_SIZE=4 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500"
    command = ["sh", "-c", f"{peers}; for rank in 1 2 3; do {rank} & done; rank=0; {rank}"]
    with reference_run.started(kubectl, "default", "ddp-reference", DDP_IMAGE, command) as run:
        return run.steps(timeout=300)


@pytest.fixture(scope="session")
def reference(kubectl: Kubectl) -> list[Step]:
    """The losses of a digits run that Ergosphere had no part in."""
    command = ["python3", "/app/train.py", "--steps", str(REFERENCE_STEPS), "--pace", "0"]
    with reference_run.started(kubectl, "default", "reference", DIGITS_IMAGE, command) as run:
        return run.steps(timeout=240)


class Followed:
    """Jobs whose output is followed from the moment they are applied."""

    def __init__(self, kubectl: Kubectl, namespace: str, folder: Path, stack: ExitStack) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._folder = folder
        self._stack = stack

    def apply(self, body: Mapping[str, Any]) -> Job:
        """Apply a job's manifest in the test's namespace."""
        name = body["metadata"]["name"]
        logs = JobLogs(self._kubectl, self._namespace, name, CONTAINER, self._folder / name)
        self._stack.enter_context(logs)
        self._kubectl.apply({**body, "metadata": {"name": name, "namespace": self._namespace}})
        return Job(self._kubectl, self._namespace, name, logs)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember for the fixtures whether the test failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
