"""Carrying acts out: nothing else writes to the API server on behalf of a job."""

import time
from datetime import UTC, datetime
from functools import partial

from ergosphere.api.agent import Command, Renew
from ergosphere.api.checkpoint import Checkpoint, CheckpointStatus
from ergosphere.api.meta import API_VERSION, FINALIZER
from ergosphere.api.training_job_status import TrainingJobStatus
from ergosphere.workload.names import budget_name, server_name
from ergosphere.workload.settings import PodSettings

from . import acts, barrier, metrics, record
from .agents import Address, Agents
from .certificates import Pair
from .creating import PODS_AT_ONCE, Creating
from .cutting import again
from .events import Recorder
from .kube import Kube, Object
from .resources import BUDGETS, CHECKPOINTS, PODS, TRAINING_JOBS
from .together import each
from .view import JobView
from .worker import WorkerPod

# An agent that is at work on a command is not told it again before this has passed.
_REPEAT_SECONDS = 2.0


class Applier:
    """Carries out the acts of all jobs, and remembers what was told or done already."""

    def __init__(
        self,
        kube: Kube,
        agents: Agents,
        recorder: Recorder,
        authority: Pair,
        settings: PodSettings,
        lease: float,
    ) -> None:
        self._kube = kube
        self._agents = agents
        self._recorder = recorder
        self._creating = Creating(kube, recorder, authority, settings, self.status)
        self._lease = lease
        self._told: dict[tuple[str, str], tuple[Command, float]] = {}
        self._unguarded: dict[str, int] = {}

    async def status(self, view: JobView, status: TrainingJobStatus) -> Object:
        """Write the job's status; 409 when the job has changed since it was observed."""
        metadata = view.job.metadata
        body = {
            "apiVersion": API_VERSION,
            "kind": "TrainingJob",
            "metadata": {
                "name": metadata.name,
                "namespace": metadata.namespace,
                "resourceVersion": metadata.resource_version,
            },
            "status": status.to_dict(),
        }
        return await self._kube.apply(TRAINING_JOBS, body, "status")

    async def carry_out(self, view: JobView, act: acts.Act) -> Object | None:
        """Do one act; returns the object that it wrote, if the caller keeps a copy of such."""
        match act:
            case acts.CreateCheckpoint(name, reason):
                made = await self._kube.create(CHECKPOINTS, record.new(view, name, reason))
                return made or await self._found(view, name)
            case acts.NoteAsked(checkpoint):
                body = record.body(checkpoint, record.asked(view.job, checkpoint))
                return await self._kube.apply(CHECKPOINTS, body, "status")
            case acts.NoteCut(checkpoint, verdict):
                noted = await self._note(view, checkpoint, record.noted(view, checkpoint, verdict))
                _count(checkpoint, verdict)
                return noted
            case acts.NoteUnusable(checkpoint, failure):
                return await self._note(view, checkpoint, record.unusable(checkpoint, failure))
            case acts.NoteOwner(checkpoint):
                body = record.owners(view.job, checkpoint)
                return await self._kube.merge(CHECKPOINTS, checkpoint.namespace, checkpoint.name, body)
            case acts.Tell(pod, command):
                await self._tell(view, pod, command, _REPEAT_SECONDS)
            case acts.Extend(pod, command):
                await self._tell(view, pod, command, self._lease / 3)
            case acts.Ask(pod):
                await self._agents.ask(address(view, pod))
            case acts.CreatePods(workers):
                await self._creating.create(view, workers)
            case _:
                await self._delete(view, act)
        return None

    async def _delete(
        self, view: JobView, act: acts.DeletePods | acts.DeleteBudget | acts.DeleteCheckpoint | acts.DeleteJob
    ) -> None:
        namespace = view.job.namespace
        match act:
            case acts.DeletePods(pods, at_once):
                grace = acts.AT_ONCE_SECONDS if at_once else None
                await each(pods, partial(self._delete_pod, namespace, grace), at_once=PODS_AT_ONCE)
            case acts.DeleteBudget():
                await self._delete_budget(view)
            case acts.DeleteCheckpoint(name):
                await self._kube.delete(CHECKPOINTS, namespace, name, {})
            case acts.DeleteJob():
                own = {"preconditions": {"uid": view.job.uid}}
                await self._kube.delete(TRAINING_JOBS, namespace, view.job.name, own)

    async def _delete_budget(self, view: JobView) -> None:
        """Of a job that has ended, pods stay, and it is looked at again and again."""
        uid, incarnation = view.job.uid, view.job.status.incarnation
        if self._unguarded.get(uid) != incarnation:
            await self._kube.delete(BUDGETS, view.job.namespace, budget_name(view.job.name, uid), {})
            self._unguarded[uid] = incarnation

    async def _delete_pod(self, namespace: str, grace_seconds: int | None, pod: WorkerPod) -> None:
        grace = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        await self._kube.delete(PODS, namespace, pod.name, {"preconditions": {"uid": pod.uid}, **grace})

    async def _found(self, view: JobView, name: str) -> Object | None:
        """The checkpoint that is there. One of another job ends the cut; the next has another name."""
        there = await self._kube.get(CHECKPOINTS, view.job.namespace, name)
        if there is None or there["spec"].get("jobName") == view.job.name:
            return there
        message = f"there is a checkpoint {name} of another job; the job is cut again under another name"
        after = {"cut": None, "not_before": again(datetime.now(UTC))}
        written = await self.status(view, view.job.status.model_copy(update=after))
        await self._recorder.record(written, "CheckpointNameTaken", message, warning=True)
        return None

    async def _note(self, view: JobView, checkpoint: Checkpoint, status: CheckpointStatus) -> Object:
        if FINALIZER not in checkpoint.metadata.finalizers:
            held = record.held(view.job, checkpoint)
            return await self._kube.apply(CHECKPOINTS, held)
        body = record.body(checkpoint, status)
        return await self._kube.apply(CHECKPOINTS, body, "status")

    async def _tell(self, view: JobView, pod: WorkerPod, command: Command, repeat: float) -> None:
        kind = "renew" if isinstance(command, Renew) else "command"
        told = self._told.get((pod.uid, kind))
        if told and told[0] == command and time.monotonic() - told[1] < repeat:
            return
        self._told[pod.uid, kind] = (command, time.monotonic())
        await self._agents.tell(address(view, pod), command)

    def forget(self, pods: set[str], jobs: set[str]) -> None:
        """Drop what is remembered of pods and of jobs other than these."""
        self._told = {key: value for key, value in self._told.items() if key[0] in pods}
        self._unguarded = {uid: number for uid, number in self._unguarded.items() if uid in jobs}
        self._creating.forget(jobs)


def _count(checkpoint: Checkpoint, verdict: barrier.Committed | barrier.Failed | None) -> None:
    if verdict is None:
        return
    failure = verdict.failure if isinstance(verdict, barrier.Failed) else None
    result = metrics.FAILURES.label(failure.reason) if failure else "complete"
    metrics.CUTS.labels(checkpoint.spec.reason.value, result).inc()
    if isinstance(verdict, barrier.Committed):
        for part, milliseconds in verdict.parts_ms.items():
            metrics.PARTS.labels(metrics.cut_part(part)).observe(milliseconds / 1000)


def address(view: JobView, pod: WorkerPod) -> Address:
    """Where a worker's agent listens."""
    return Address(pod.uid, view.job.uid, pod.ip, server_name(view.job.uid))


def addresses(view: JobView) -> set[Address]:
    """Where the agents listen of all workers that have begun and not ended."""
    return {address(view, pod) for pod in view.pods if pod.ip and not pod.over}
