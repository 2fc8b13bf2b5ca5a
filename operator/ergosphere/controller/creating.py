"""Creating a job's pods, and what becomes of a job whose pods are refused.

A quota, an admission rule or a template that makes no valid pod lasts until somebody changes it: the job
says so, and asks again ever later.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from ergosphere.api.meta import API_VERSION
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import TrainingJobStatus
from ergosphere.workload.names import server_name
from ergosphere.workload.pod import Worker, worker_pod
from ergosphere.workload.settings import PodSettings
from ergosphere.workload.support import agent_secret, disruption_budget

from .certificates import Pair, fingerprint, issue
from .conditions import uncreated
from .events import Recorder
from .kube import ApiError, Kube, Object
from .mishaps import refusals
from .resources import BUDGETS, PODS, SECRETS
from .together import each
from .view import JobView
from .worker import worker_of

# Of one job: a large gang is there soon, and other jobs' requests need not wait behind all of it.
PODS_AT_ONCE = 16
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0

Write = Callable[[JobView, TrainingJobStatus], Awaitable[Object]]


class NameTaken(ApiError):
    """A worker's name is that of a pod that is none of the job's; `leaving` if that one is being deleted."""

    def __init__(self, pod: Object) -> None:
        metadata = pod["metadata"]
        owners = [f"{owner['kind']} {owner['name']}" for owner in metadata.get("ownerReferences") or ()]
        self.leaving = "deletionTimestamp" in metadata
        message = f"pod {metadata['name']} exists and is no worker of this job: it belongs to "
        message += (", ".join(owners) or "nobody") + (" and is being deleted" if self.leaving else "")
        super().__init__(409, "AlreadyExists", message)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why an incarnation's pods were refused, and for how long, until when, they are not asked for again."""

    incarnation: int
    message: str
    seconds: float
    until: float


class Creating:
    """Creates pods, and what they need; `write` writes a job's status.

    It remembers the last refusal of each job. A new incarnation asks at once, as does a new operator.
    """

    def __init__(
        self, kube: Kube, recorder: Recorder, authority: Pair, settings: PodSettings, write: Write
    ) -> None:
        self._kube, self._recorder, self._write = kube, recorder, write
        self._authority, self._settings = authority, replace(settings, authority=fingerprint(authority))
        self._refused: dict[str, _Refusal] = {}

    def forget(self, jobs: set[str]) -> None:
        """Drop what is remembered of jobs other than these, by their uids."""
        self._refused = {key: value for key, value in self._refused.items() if key in jobs}

    async def create(self, view: JobView, workers: Sequence[Worker]) -> None:
        """Create these workers, unless it is too early to ask again; raises what the requests do."""
        key, incarnation = view.job.uid, view.job.status.incarnation
        before = self._refused.get(key)
        if before and before.incarnation != incarnation:
            before = None
        if before and time.monotonic() < before.until:
            await self._state(view, before.message)
            return
        try:
            await self._ask(view.job, workers)
        except Exception as error:
            if refused := refusals(error):
                self._refused[key] = _refusal(incarnation, refused, before)
                await self._say(view, refused, self._refused[key].message)
            raise
        self._refused.pop(key, None)

    async def _ask(self, job: TrainingJob, workers: Sequence[Worker]) -> None:
        await self._kube.create(SECRETS, agent_secret(job, self._settings.authority, self._secret_files(job)))
        await self._kube.create(BUDGETS, disruption_budget(job))
        await each(workers, partial(self._ask_for_one, job), at_once=PODS_AT_ONCE)

    async def _ask_for_one(self, job: TrainingJob, worker: Worker) -> None:
        body = worker_pod(job, worker, self._settings)
        if await self._kube.create(PODS, body) is None:
            there = await self._kube.get(PODS, job.namespace, body["metadata"]["name"])
            if there and worker_of(there) != job.uid:
                raise NameTaken(there)

    def _secret_files(self, job: TrainingJob) -> dict[str, bytes]:
        pair = issue(self._authority, server_name(job.uid), server=True)
        return {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": self._authority.certificate}

    async def _say(self, view: JobView, refused: Sequence[ApiError], message: str) -> None:
        if not _passing(refused):
            await self._recorder.record(_reference(view.job), "FailedCreate", message, warning=True)
        await self._state(view, message)

    async def _state(self, view: JobView, message: str) -> None:
        """Have the job's status say why it has no pods."""
        status = uncreated(view.job, view.job.status, message, datetime.now(UTC))
        if status != view.job.status:
            await self._write(view, status)


def _refusal(incarnation: int, refused: Sequence[ApiError], before: _Refusal | None) -> _Refusal:
    """What to remember of a refusal: it is waited twice as long as after the one before."""
    longer = 2 * before.seconds if before and not _passing(refused) else _FIRST_SECONDS
    seconds = min(longer, _LONGEST_SECONDS)
    more = f" (and {len(refused) - 1} more)" if refused[1:] else ""
    return _Refusal(incarnation, f"{refused[0].message}{more}", seconds, time.monotonic() + seconds)


def _passing(refused: Sequence[ApiError]) -> bool:
    """Whether nobody need do anything: a pod that is being deleted, such as a namesake's, frees its name."""
    return all(isinstance(error, NameTaken) and error.leaving for error in refused)


def _reference(job: TrainingJob) -> Object:
    metadata = {"name": job.name, "namespace": job.namespace, "uid": job.uid}
    return {"apiVersion": API_VERSION, "kind": job.kind, "metadata": metadata}
