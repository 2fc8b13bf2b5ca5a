"""`ergo logs`: what one worker has printed, as one log across all its pods."""

import time
from dataclasses import dataclass
from typing import Annotated

import typer

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli import options
from ergosphere.cli.cluster import Cluster
from ergosphere.cli.failure import Failure, NotFound, Unreachable
from ergosphere.cli.stand import phase
from ergosphere.controller.kube import Object
from ergosphere.controller.resources import PODS, TRAINING_JOBS

_LOOK_SECONDS = 0.5
_SILENCE_SECONDS = 60


def logs(
    job: options.Job,
    rank: Annotated[int, typer.Option(min=0, help="The worker.")] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, in whatever pod, to the job's end.")
    ] = False,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """Print a worker's output as one log across its moves.

    What pods that are gone have printed went with them; a line on the error stream says where that is so.
    With --follow nothing is missed from then on.
    """
    cluster = Cluster.connect(kubeconfig, context, namespace)
    found = TrainingJob.parse(cluster.get(TRAINING_JOBS, job))
    most = most_workers(found)
    if rank >= most:
        raise Failure(f"--rank must be less than {most}: {job} has no more workers than that")
    Log(cluster, found, rank).print(follow=follow)


def most_workers(job: TrainingJob) -> int:
    """How many workers the job may have had: an elastic one grows beyond what its spec asks for."""
    elasticity = job.spec.elasticity
    return max(job.spec.workers, elasticity.max_workers if elasticity else 0, len(job.status.placement))


@dataclass
class Place:
    """How far a log has been printed. A log can be asked for from a second on only, so lines come again."""

    time: str = ""
    _here: int = 0
    _passed: int = 0

    def resume(self) -> None:
        """The log comes anew, from the second of `time` on."""
        self._passed = 0

    def passes(self, at: str) -> bool:
        """Whether the line with this time stamp has not been printed yet; if so, it is printed now."""
        if at < self.time:
            return False
        if at > self.time:
            self.time, self._here, self._passed = at, 0, 0
        self._passed += 1
        if self._passed <= self._here:
            return False
        self._here = self._passed
        return True


class Log:
    """The output of one worker of one job, from pod to pod."""

    def __init__(self, cluster: Cluster, job: TrainingJob, rank: int) -> None:
        self._cluster = cluster
        self._job = job
        self._container = job.spec.main_container().name
        self._selector = f"{LABEL_JOB_UID}={job.uid},{LABEL_RANK}={rank}"
        self._printed = 0
        self._said: set[str] = set()

    def print(self, *, follow: bool) -> None:
        """Print what there is, and with `follow` what comes until the job has ended."""
        while True:
            # Asked for before the pods: a job that has ended by now makes no more of them.
            over = not follow or self._over()
            pods = [pod for pod in self._pods() if incarnation(pod) > self._printed]
            begun = [pod for pod in pods if started(pod, self._container)]
            for pod in begun:
                self._print(pod, follow=follow)
            if begun:
                continue
            self._say_why()
            if over:
                return
            time.sleep(_LOOK_SECONDS)

    def _print(self, pod: Object, *, follow: bool) -> None:
        self._say_gone(incarnation(pod) - 1)
        self._printed = incarnation(pod)
        place = Place()
        while self._stream(pod["metadata"]["name"], place, follow=follow):
            time.sleep(_LOOK_SECONDS)

    def _say_gone(self, last: int) -> None:
        """Say that what was printed up to that incarnation is gone, if it is."""
        if last <= self._printed:
            return
        first = self._printed + 1
        which = f"{first}" if last == first else f"{first} to {last}"
        self._say(f"(the output of incarnation {which} went with its pod)")

    def _say_why(self) -> None:
        """Say why there is nothing to print, unless the program has printed what it had to."""
        status = self._job.status
        self._say_gone(status.incarnation - bool(status.placement))
        begun = self._printed == status.incarnation and status.placement
        if not begun and not self._job.finished:
            self._say(f"({self._job.name} is {phase(self._job)})")

    def _say(self, word: str) -> None:
        if word not in self._said:
            typer.echo(word, err=True)
        self._said.add(word)

    def _stream(self, pod: str, place: Place, *, follow: bool) -> bool:
        """Print a pod's lines from a place on; whether its container runs on, so that more may come."""
        path = f"{PODS.path(self._cluster.namespace, pod)}/log"
        query = {"container": self._container, "timestamps": "true", "follow": str(follow).lower()}
        if place.time:
            query["sinceTime"] = place.time
        place.resume()
        try:
            for line in self._cluster.stream(path, query, _SILENCE_SECONDS):
                at, _, text = line.partition(b" ")
                if place.passes(at.decode()):
                    typer.echo(text)
        except NotFound:
            return False
        except Unreachable:
            # The connection broke, or a node is lost: what is asked next tells which.
            if not follow:
                raise
        return follow and self._runs(pod)

    def _runs(self, pod: str) -> bool:
        pods = self._pods()
        newer = any(incarnation(p) > self._printed and started(p, self._container) for p in pods)
        own = next((p for p in pods if p["metadata"]["name"] == pod), None)
        return not newer and own is not None and not ended(own, self._container)

    def _pods(self) -> list[Object]:
        found = self._cluster.list(PODS, self._cluster.namespace, labelSelector=self._selector)
        return sorted(found, key=incarnation)

    def _over(self) -> bool:
        body = self._cluster.find(TRAINING_JOBS, self._job.name)
        if body is None or body["metadata"]["uid"] != self._job.uid:
            return True
        self._job = TrainingJob.parse(body)
        return self._job.finished


def incarnation(pod: Object) -> int:
    """Which incarnation of the job the pod belongs to."""
    return int(pod["metadata"]["labels"][LABEL_INCARNATION])


def started(pod: Object, container: str) -> bool:
    """Whether the container has a log."""
    state = _state(pod, container)
    return "running" in state or "terminated" in state


def ended(pod: Object, container: str) -> bool:
    """Whether the container's log is complete."""
    return "terminated" in _state(pod, container)


def _state(pod: Object, container: str) -> Object:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((c.get("state") or {} for c in statuses if c["name"] == container), {})
