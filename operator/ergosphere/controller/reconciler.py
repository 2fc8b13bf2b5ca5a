"""Bringing one job a step further: the next status, then what the status asks for."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from ergosphere.api.checkpoint import Checkpoint

from . import starting
from .acts import acts
from .agents import Agents
from .apply import Applier, addresses
from .cache import Cache
from .events import Recorder
from .forgetting import Forgetting
from .kube import Object
from .lifecycle import advance
from .moment import Moment
from .planning import Decisions
from .reflector import Key
from .resources import CHECKPOINTS, TRAINING_JOBS
from .retention import cutting_now, expired
from .together import each, raise_all
from .view import JobView

_log = logging.getLogger(__name__)
_FORGOTTEN_AT_ONCE = 4


class Reconciler:
    """Reconciles jobs one at a time, each as `decisions` say, which may change at any time."""

    def __init__(
        self,
        cache: Cache,
        agents: Agents,
        applier: Applier,
        recorder: Recorder,
        forgetting: Forgetting,
        lease_seconds: float,
    ) -> None:
        self._cache, self._agents, self._applier = cache, agents, applier
        self._recorder, self._forgetting, self._lease_seconds = recorder, forgetting, lease_seconds
        self.decisions = Decisions()

    async def reconcile(self, key: Key) -> None:
        """Take the job as far as it goes now; raises what a request to the API server or an agent does.

        What becomes of its old checkpoints comes after it, and goes on whatever becomes of the job.
        """
        try:
            while await self._step(key):
                pass
        except Exception:
            await self._forget_all(key)
            raise
        await self._forget_all(key)

    async def _forget_all(self, key: Key) -> None:
        checkpoints = self._cache.checkpoints_for(key)
        await each(checkpoints, partial(self._forget, key[0]), at_once=_FORGOTTEN_AT_ONCE)

    async def _step(self, key: Key) -> bool:
        """Write the next status if there is one, and say so; or else do what the status asks for."""
        view = self._view(key)
        if view is None:
            return False
        self._agents.add(addresses(view))
        now = datetime.now(UTC)
        if not view.job.deleted and not view.job.finished and await self._advance(key, view, now):
            return True
        results = await asyncio.gather(
            *(self._applier.carry_out(view, act) for act in acts(view, self._lease_seconds, now)),
            return_exceptions=True,
        )
        self._keep(results)
        return False

    def _view(self, key: Key) -> JobView | None:
        agents = self._agents
        silent = agents.silent(self._lease_seconds)
        view = self._cache.view(key, agents.reports, agents.answered, silent)
        return view and replace(view, unreached=agents.waited(pod.uid for pod in view.pods))

    async def _advance(self, key: Key, view: JobView, now: datetime) -> bool:
        decided = self.decisions
        moment = Moment(
            view,
            decided.action(key, view),
            decided.waiting.get(key),
            now,
            decided.lost.get(key, frozenset()),
            decided.anchored.get(key),
            key in decided.admitted,
            decided.fractions.get(key),
        )
        upcoming = advance(moment)
        if upcoming.status == view.job.status:
            return False
        written = await self._applier.status(view, upcoming.status)
        self._cache.put(TRAINING_JOBS, written)
        for happening in upcoming.happenings:
            _log.info("%s/%s: %s: %s", *key, happening.reason, happening.message)
            await self._recorder.record(
                written, happening.reason, happening.message, warning=happening.warning
            )
        return True

    def _keep(self, results: list[Object | BaseException | None]) -> None:
        for result in results:
            if result is not None and not isinstance(result, BaseException):
                self._cache.put(CHECKPOINTS, result)
        raise_all(result for result in results if isinstance(result, BaseException))

    async def _forget(self, namespace: str, checkpoint: Checkpoint) -> None:
        """Take a checkpoint that is being deleted, or was left unfinished, to its end."""
        if checkpoint.deleted and not self._needed(namespace, checkpoint):
            obj = self._cache.objects(CHECKPOINTS).get((namespace, checkpoint.name))
            if obj is not None:
                await self._forgetting.advance(checkpoint, obj)
        elif cutting_now(checkpoint) and _noted(checkpoint) and self._jobless(checkpoint):
            await self._forgetting.abandon(checkpoint)
        elif expired(checkpoint, datetime.now(UTC)) and self._jobless(checkpoint):
            await self._forgetting.expire(checkpoint)

    def _needed(self, namespace: str, checkpoint: Checkpoint) -> bool:
        users = {(namespace, checkpoint.spec.job_name)} | self._cache.restoring((namespace, checkpoint.name))
        views = (self._cache.view(key, {}) for key in users)
        return any(view and starting.needs(view, checkpoint) for view in views)

    def _jobless(self, checkpoint: Checkpoint) -> bool:
        return self._cache.key_of(checkpoint.status.job_uid) is None


def _noted(checkpoint: Checkpoint) -> bool:
    return bool(checkpoint.status.job_uid) and not checkpoint.deleted
