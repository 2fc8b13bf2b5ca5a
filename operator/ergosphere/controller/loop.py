"""The operator's loop: wait for a change or a tick, plan, and reconcile the jobs concerned.

Nothing that matters lives only here: everything is observed anew after a restart.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import partial

from ergosphere.scheduling.plan import Follower

from . import metrics, mishaps
from .agents import Agents
from .apply import Applier, addresses
from .bookkeeping import below_promise
from .cache import Cache
from .certificates import Pair, client_context
from .collecting import Collecting
from .config import Config
from .events import Recorder
from .forgetting import Forgetting
from .kube import Kube
from .planning import decide
from .reconciler import Reconciler
from .reflector import Key
from .retention import expired
from .rounds import due

_log = logging.getLogger(__name__)
_TICK_SECONDS = 1.0
_RETRY_SECONDS = 1.0
# A burst of changes is planned for once.
_SETTLE_SECONDS = 0.01


class Loop:
    """Reconciles all jobs of one cluster."""

    def __init__(self, kube: Kube, config: Config, authority: Pair) -> None:
        self._kube = kube
        self._config = config
        self._wakeup = asyncio.Event()
        self._woken: set[Key] = set()
        self._working: dict[Key, asyncio.Task[None]] = {}
        self._dirty = True
        self._rounds = 0
        self._next_tick = 0.0
        self._rested = 0.0
        self._planner = Follower()
        recorder = Recorder(kube)
        self._cache = Cache(self._wake, self._replan)
        self._agents = Agents(client_context(authority), self._wake_uid)
        self._applier = Applier(kube, self._agents, recorder, authority, config.pods, config.lease_seconds)
        forgetting = Forgetting(kube, recorder, config.pods)
        self._collecting = Collecting(kube, self._cache, recorder, config.pods)
        self._reconciler = Reconciler(
            self._cache, self._agents, self._applier, recorder, forgetting, config.lease_seconds
        )

    async def run(self) -> None:
        """Reconcile until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._cache.run(self._kube), name="cache")
                group.create_task(self._cycle(), name="cycle")
                group.create_task(self._collecting.run(), name="collecting")
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """End what is under way: once this operator leads no more, nothing of it may write."""
        working = list(self._working.values())
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await self._agents.close()

    def _wake(self, key: Key) -> None:
        self._woken.add(key)
        self._wakeup.set()

    def _wake_uid(self, uid: str) -> None:
        key = self._cache.key_of(uid)
        if key:
            self._wake(key)

    def _replan(self) -> None:
        self._dirty = True
        self._wakeup.set()

    async def _cycle(self) -> None:
        while True:
            try:
                # Not wait_for: before Python 3.12 it loses a cancellation that meets a wake-up.
                async with asyncio.timeout(self._patience()):
                    await self._wakeup.wait()
                await asyncio.sleep(_SETTLE_SECONDS)
            except TimeoutError:
                pass
            self._wakeup.clear()
            if not self._cache.synced:
                continue
            if time.monotonic() >= self._next_tick:
                self._tick()
            if self._dirty and time.monotonic() >= self._rested:
                self._plan()
            self._dispatch()

    def _patience(self) -> float:
        """Seconds until there is something to do although nothing happens."""
        rest = self._rested - time.monotonic()
        return min(rest, _TICK_SECONDS) if self._dirty and rest > 0 else _TICK_SECONDS

    def _tick(self) -> None:
        """Wake what time alone can change, and follow the agents that there are."""
        began = time.monotonic()
        self._dirty = True
        self._rounds += 1
        self._woken |= due(self._cache.jobs(), self._rounds)
        # A checkpoint may outlive its job, and nothing else says that its data or its time is gone by now.
        now = datetime.now(UTC)
        self._woken.update(
            (namespace, checkpoint.spec.job_name)
            for (namespace, _), checkpoint in self._cache.checkpoints().items()
            if checkpoint.deleted or expired(checkpoint, now)
        )
        try:
            self._follow()
        except Exception:
            # Nor must one stop the reconciliation of all others that cannot be counted.
            _log.exception("following the agents failed")
            metrics.RECONCILE_ERRORS.labels("follow").inc()
        # However many jobs there are, it takes a quarter of the time at most.
        self._next_tick = began + max(_TICK_SECONDS, 4 * (time.monotonic() - began))

    def _follow(self) -> None:
        views = [v for key in self._cache.jobs() if (v := self._cache.view(key, {}))]
        present = {address for view in views for address in addresses(view)}
        self._agents.follow(present)
        self._applier.forget({address.pod for address in present}, {view.job.uid for view in views})
        metrics.JOBS.clear()
        for view in views:
            metrics.JOBS.labels(view.job.status.phase or "Pending").inc()
        metrics.BELOW_PROMISE.clear()
        for tier in self._cache.tiers():
            below = sum(below_promise(view.job, tier) for view in views)
            metrics.BELOW_PROMISE.labels(tier.name).set(below)

    def _plan(self) -> None:
        self._dirty = False
        began = time.monotonic()
        try:
            decisions = decide(self._cache, time.time(), self._config.topology_levels, self._planner)
        except Exception:
            # One object that the planner chokes on must not stop the reconciliation of all others.
            _log.exception("planning failed; the decisions before stand")
            metrics.RECONCILE_ERRORS.labels("plan").inc()
            return
        finally:
            took = time.monotonic() - began
            # However large the fleet, half of the time is for what the decisions ask for.
            self._rested = began + 2 * took
        metrics.PLAN.observe(took)
        self._woken |= decisions.differing(self._reconciler.decisions)
        self._reconciler.decisions = decisions

    def _dispatch(self) -> None:
        for key in sorted(self._woken - self._working.keys()):
            self._woken.discard(key)
            task = asyncio.create_task(self._work(key), name=f"reconcile {'/'.join(key)}")
            self._working[key] = task
            task.add_done_callback(partial(self._done, key))

    def _done(self, key: Key, _: asyncio.Task[None]) -> None:
        self._working.pop(key, None)
        if key in self._woken:
            self._wakeup.set()

    async def _work(self, key: Key) -> None:
        try:
            await self._reconciler.reconcile(key)
        except Exception as error:
            only_conflicts = mishaps.report(key, error)
            await asyncio.sleep(_SETTLE_SECONDS if only_conflicts else _RETRY_SECONDS)
            self._wake(key)
