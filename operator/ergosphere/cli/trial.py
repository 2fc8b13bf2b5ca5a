"""A small job that is run, saved, taken off its node and brought back: the whole way, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from ergosphere.api.meta import API_VERSION
from ergosphere.cli.checkup import Installation
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.failure import Failure
from ergosphere.cli.finding import Finding, State
from ergosphere.cli.stand import Judge, running, saved, suspended
from ergosphere.cli.units import length
from ergosphere.cli.waiting import await_stand
from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.resources import CHECKPOINTS, TRAINING_JOBS

Step = tuple[str, Callable[[], object]]


def trial(cluster: Cluster, operator: Installation | Failure, seconds: float) -> list[Finding]:
    """How far the job came: nothing is tried after what failed. Each step may take so many seconds."""
    image = "" if isinstance(operator, Failure) else operator.environment.get("ERGO_AGENT_IMAGE", "")
    if not image:
        return [
            Finding("trial", State.UNKNOWN, "the operator was not found, and with it no image to try with")
        ]
    try:
        with _job(cluster, image) as name:
            return list(_carried_out(_steps(cluster, name, seconds), name))
    except Failure as failure:
        return [Finding("trial", State.WRONG, str(failure), "the message says what the cluster refuses")]


def _steps(cluster: Cluster, name: str, seconds: float) -> list[Step]:
    def awaited(resource: Resource, of: str, judge: Judge) -> object:
        return await_stand(cluster, resource, of, judge, seconds)

    def save() -> object:
        metadata = {"name": name}
        body = {
            "apiVersion": API_VERSION,
            "kind": "Checkpoint",
            "metadata": metadata,
            "spec": {"jobName": name},
        }
        cluster.create(CHECKPOINTS, body)
        return awaited(CHECKPOINTS, name, saved)

    def wish(suspend: bool, judge: Judge) -> object:
        cluster.merge(TRAINING_JOBS, name, {"spec": {"suspend": suspend}})
        return awaited(TRAINING_JOBS, name, judge)

    return [
        ("run a job", lambda: awaited(TRAINING_JOBS, name, running)),
        ("save it", save),
        ("take it off its node", lambda: wish(True, suspended)),
        ("bring it back", lambda: wish(False, running)),
    ]


def _carried_out(steps: list[Step], name: str) -> Iterator[Finding]:
    for what, act in steps:
        began = monotonic()
        try:
            act()
        except Failure as failure:
            yield Finding(f"trial: {what}", State.WRONG, str(failure), f"the Events of job {name} say more")
            return
        yield Finding(f"trial: {what}", State.OK, f"in {length(monotonic() - began)}")


@contextmanager
def _job(cluster: Cluster, image: str) -> Iterator[str]:
    """A job without GPUs that does nothing, and its checkpoints, deleted at the end."""
    container = {"name": "main", "image": image, "command": ["sleep", "infinity"]}
    body: Object = {
        "apiVersion": API_VERSION,
        "kind": "TrainingJob",
        "metadata": {"generateName": "ergo-doctor-"},
        "spec": {
            "template": {"spec": {"containers": [container], "terminationGracePeriodSeconds": 1}},
            "checkpoint": {"deletionPolicy": "Delete"},
        },
    }
    name = cluster.create(TRAINING_JOBS, body)["metadata"]["name"]
    try:
        yield name
    finally:
        cluster.delete(TRAINING_JOBS, name)
