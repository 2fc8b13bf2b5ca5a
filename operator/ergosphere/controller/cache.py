"""All that is known of the cluster, and views of it: the one place that reads what the reflectors hold."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set

from pydantic import ValidationError

from ergosphere.api.agent import Report
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.service_tier import ServiceTier
from ergosphere.api.training_job import TrainingJob
from ergosphere.workload.volumes import Binding, bindings

from .kube import Kube, Object, Resource
from .outage import lost
from .reflector import Key, Reflector
from .resources import (
    CHECKPOINTS,
    CLAIMS,
    NODES,
    PODS,
    SERVICE_TIERS,
    TRAINING_JOBS,
    VOLUMES,
    WATCHED,
)
from .view import JobView
from .worker import worker_of, worker_pods

_log = logging.getLogger(__name__)


class Cache:
    """Reflectors of every watched kind; `wake` gets the key of a job that may have to be looked at."""

    def __init__(
        self, wake: Callable[[Key], None] = lambda key: None, replan: Callable[[], None] = lambda: None
    ) -> None:
        self._wake = wake
        self._replan = replan
        self._reflectors = {r: Reflector(r, self._changed, replan) for r in WATCHED}
        self._jobs: dict[Key, TrainingJob] = {}
        self._by_uid: dict[str, Key] = {}
        self._pods: defaultdict[str, set[Key]] = defaultdict(set)
        self._owners: dict[Key, str] = {}
        self._restoring: defaultdict[Key, set[Key]] = defaultdict(set)
        self._checkpoints: dict[Key, Checkpoint] = {}
        self._checkpoints_for: defaultdict[Key, dict[str, Checkpoint]] = defaultdict(dict)
        self.lost: frozenset[str] = frozenset()

    async def run(self, kube: Kube) -> None:
        """Follow all kinds until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors.values():
                group.create_task(reflector.run(kube), name=f"reflect {reflector.resource.plural}")

    @property
    def synced(self) -> bool:
        """Whether every kind is in step with the API server, so that decisions may rest on it."""
        return all(reflector.synced.is_set() for reflector in self._reflectors.values())

    def put(self, resource: Resource, obj: Object) -> None:
        """Take in what a request has just returned."""
        self._reflectors[resource].put(obj)

    def objects(self, resource: Resource) -> Mapping[Key, Object]:
        """The objects of a kind, as JSON."""
        return self._reflectors[resource].objects

    def jobs(self) -> Mapping[Key, TrainingJob]:
        """Every job that can be read."""
        return self._jobs

    def checkpoints(self) -> Mapping[Key, Checkpoint]:
        """Every checkpoint that can be read."""
        return self._checkpoints

    def checkpoints_for(self, key: Key) -> list[Checkpoint]:
        """Those that name the job with that key as theirs."""
        return list(self._checkpoints_for.get(key, {}).values())

    def restoring(self, key: Key) -> Set[Key]:
        """The jobs whose specs name the checkpoint with that key to go on from."""
        return self._restoring.get(key, frozenset())

    def look(self, now: float) -> None:
        """Judge anew which nodes are lost. `now` is in seconds since the epoch."""
        self.lost = lost(self.nodes(), now)

    def nodes(self) -> list[Object]:
        """Every node."""
        return list(self.objects(NODES).values())

    def tiers(self) -> list[ServiceTier]:
        """Every tier."""
        return [ServiceTier.parse(obj) for obj in self.objects(SERVICE_TIERS).values()]

    def bindings(self, job: TrainingJob) -> tuple[Binding, ...]:
        """What binds a job's pods to nodes that have its volumes."""
        spec = job.spec.template.spec.as_given
        if not spec.get("volumes"):
            return ()
        own = {name: obj for (space, name), obj in self.objects(CLAIMS).items() if space == job.namespace}
        return bindings(spec, own, {name: obj for (_, name), obj in self.objects(VOLUMES).items()})

    def view(
        self,
        key: Key,
        reports: Mapping[str, Report],
        answered: Set[str] = frozenset(),
        silent: Set[str] = frozenset(),
    ) -> JobView | None:
        """What is observed of one job; None when it is gone or cannot be read."""
        job = self._jobs.get(key)
        if job is None:
            return None
        return JobView(
            job=job,
            pods=worker_pods(self.pods_of(key[0], job.uid), job.spec.main_container().name, self._lost),
            reports=reports,
            answered=answered,
            silent=silent,
            checkpoints=tuple(sorted(self._checkpoints_of(job), key=_age)),
        )

    def pods_of(self, namespace: str, uid: str) -> Iterator[Object]:
        """The workers' pods of the job with that uid, in its namespace."""
        pods = self.objects(PODS)
        return (pods[k] for k in sorted(self._pods.get(uid, ())) if k in pods and k[0] == namespace)

    def _lost(self, node: str) -> bool:
        return ("", node) not in self.objects(NODES) or node in self.lost

    def key_of(self, uid: str) -> Key | None:
        """The job with that uid."""
        return self._by_uid.get(uid)

    def _checkpoints_of(self, job: TrainingJob) -> Iterable[Checkpoint]:
        own = self._checkpoints_for.get((job.namespace, job.name), {})
        origin = job.spec.restore_from and self._checkpoints.get((job.namespace, job.spec.restore_from.name))
        return ({origin.name: origin} | own if origin else own).values()

    def _changed(self, resource: Resource, key: Key) -> None:
        obj = self.objects(resource).get(key)
        if resource is TRAINING_JOBS:
            self._take_job(key, obj)
            self._wake(key)
        elif resource is PODS:
            self._take_pod(key, obj)
        elif resource is CHECKPOINTS:
            self._take_checkpoint(key, obj)
        if resource is not CHECKPOINTS:
            self._replan()

    def _take_job(self, key: Key, obj: Object | None) -> None:
        old = self._jobs.pop(key, None)
        if old and (obj is None or obj["metadata"]["uid"] != old.uid):
            self._by_uid.pop(old.uid, None)
        if old and (origin := _origin(old)):
            self._restoring[origin].discard(key)
            if not self._restoring[origin]:
                del self._restoring[origin]
        if obj is None:
            return
        try:
            self._jobs[key] = TrainingJob.parse(obj)
            self._by_uid[obj["metadata"]["uid"]] = key
            if origin := _origin(self._jobs[key]):
                self._restoring[origin].add(key)
        except ValidationError as error:
            _log.error("TrainingJob %s/%s cannot be read and is left alone: %s", *key, error)

    def _take_pod(self, key: Key, obj: Object | None) -> None:
        old, owner = self._owners.pop(key, None), obj and worker_of(obj)
        if old and old != owner:
            self._drop_pod(old, key)
        if owner:
            self._pods[owner].add(key)
            self._owners[key] = owner
            self._wake_uid(owner)

    def _drop_pod(self, uid: str, key: Key) -> None:
        self._pods[uid].discard(key)
        if not self._pods[uid]:
            del self._pods[uid]
        self._wake_uid(uid)

    def _take_checkpoint(self, key: Key, obj: Object | None) -> None:
        old = self._checkpoints.pop(key, None)
        if obj is not None:
            try:
                self._checkpoints[key] = Checkpoint.parse(obj)
            except ValidationError as error:
                _log.error("Checkpoint %s/%s cannot be read and is left alone: %s", *key, error)
        new = self._checkpoints.get(key)
        self._file(key, old, new)
        for job in {c.spec.job_name for c in (old, new) if c}:
            self._wake((key[0], job))

    def _file(self, key: Key, old: Checkpoint | None, new: Checkpoint | None) -> None:
        if old:
            job = key[0], old.spec.job_name
            del self._checkpoints_for[job][key[1]]
            if not self._checkpoints_for[job]:
                del self._checkpoints_for[job]
        if new:
            self._checkpoints_for[key[0], new.spec.job_name][key[1]] = new

    def _wake_uid(self, uid: str) -> None:
        if uid in self._by_uid:
            self._wake(self._by_uid[uid])


def _origin(job: TrainingJob) -> Key | None:
    return (job.namespace, job.spec.restore_from.name) if job.spec.restore_from else None


def _age(checkpoint: Checkpoint) -> tuple[float, str]:
    created = checkpoint.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, checkpoint.name)
