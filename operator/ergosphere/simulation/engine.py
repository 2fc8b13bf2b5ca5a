"""The simulator: a fleet, jobs and a policy, driven by events."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import IntEnum

from ergosphere.scheduling.model import Fleet, Job, Migrate, Placement, Plan, Preempt, Resize, Start, State
from ergosphere.scheduling.policy import Policy
from ergosphere.simulation.cost import Cost
from ergosphere.simulation.failure import Change, Failures
from ergosphere.simulation.run import Run
from ergosphere.simulation.speedup import speed

NEVER = float("inf")
_MOST_CHANGES = 10_000  # of each node, before another job finishes


class Endless(Exception):
    """No job gets to its end between the failures."""


class Event(IntEnum):
    """Kinds of events; at one time, those that free GPUs come first."""

    FINISHED = 0
    CUT = 1
    RESTORED = 2
    NODE = 3
    ARRIVED = 4
    LOOK = 5


class Simulation:
    """Runs jobs on a fleet under a policy until the last has finished.

    `told`: the policy sees the run time that is left of each job.
    """

    def __init__(
        self,
        fleet: Fleet,
        jobs: list[tuple[Job, float]],
        policy: Policy,
        cost: Cost,
        failures: Failures | None = None,
        seed: int = 0,
        told: bool = False,
    ) -> None:
        self.policy = policy
        self.cost = cost
        self.told = told
        self.nodes = dict(fleet.nodes)
        self.free = {n.name: n.gpus - n.foreign for n in fleet.nodes.values()}
        self.runs = {job.name: Run(job, service_s) for job, service_s in jobs}
        self.active: dict[str, Run] = {}
        self.claims: dict[str, Run] = {}
        """Jobs that were given GPUs which others may still be leaving."""
        self.finished: dict[str, float] = {}
        self.now = 0.0
        self._look = NEVER
        self._events: list[tuple[float, Event, int, str, int]] = []
        self._count = itertools.count()
        self._changes: dict[str, Iterator[tuple[float, Change]]] = {}
        self._next: dict[str, Change] = {}
        self._changed = 0
        for index, node in enumerate(fleet.nodes.values()):
            policy.put_node(node)
            if failures is not None:
                self._changes[node.name] = failures.changes(node.name, index, len(fleet.nodes), seed)
                self._await(node.name)
        for job, _ in jobs:
            self._at(job.submitted, Event.ARRIVED, job.name)

    def simulate(self, progress: Callable[[int], None] = lambda finished: None) -> None:
        """Run to the end; `progress` is told the number of finished jobs.

        Raises `RuntimeError` when the policy lets jobs wait for ever, `Endless` when nodes fail too often.
        """
        done, before = 0, 0
        while len(self.finished) < len(self.runs):
            if len(self.finished) > done:
                done, before = len(self.finished), self._changed
            left = ", ".join(sorted(self.active)[:3])
            if not self._events:
                raise RuntimeError(f"the policy never runs {left}")
            if self._changed - before > _MOST_CHANGES * len(self.nodes):
                raise Endless(f"nodes fail so often that of {left} none finishes")
            self.now = self._events[0][0]
            while self._events and self._events[0][0] == self.now:
                _, event, _, name, timer = heapq.heappop(self._events)
                self._happen(event, name, timer)
            self._settle()
            self._apply(self.policy.plan(self.now))
            progress(len(self.finished))

    def _at(self, time: float, event: Event, name: str, timer: int = 0) -> None:
        heapq.heappush(self._events, (time, event, next(self._count), name, timer))

    def _happen(self, event: Event, name: str, timer: int) -> None:
        if event is Event.ARRIVED:
            self.active[name] = self.runs[name]
            self._put(self.runs[name])
        elif event is Event.LOOK:
            self._look = NEVER
        elif event is Event.NODE:
            self._change(name)
        elif timer == self.runs[name].timer:
            self._proceed(event, self.runs[name])

    def _proceed(self, event: Event, run: Run) -> None:
        if event is Event.FINISHED:
            self._finish(run)
        elif event is Event.CUT:
            self._left(run)
        else:
            self._begin(run)

    def _put(self, run: Run, **changes: object) -> None:
        """Change what the policy sees of a job."""
        if self.told:
            changes["work_s"] = run.left_s
        self.policy.put(run.become(self.now, **changes))

    def _finish(self, run: Run) -> None:
        run.halt(self.now)
        name = run.job.name
        self.finished[name] = self.now
        del self.active[name]
        self._release(run)
        self.policy.drop(name)

    def _release(self, run: Run) -> None:
        for node in run.held:
            self.free[node] += run.job.gpus_per_worker
        run.held = ()

    def _apply(self, plan: Plan) -> None:
        for name in plan.admitted:
            self.policy.put(self.active[name].admit(self.now))
        for action in plan.actions:
            self._act(self.active[action.job], action)
        self._settle()
        if plan.look_again is not None and plan.look_again < self._look:
            self._look = max(plan.look_again, self.now + 1.0)
            self._at(self._look, Event.LOOK, "")

    def _act(self, run: Run, action: Start | Preempt | Migrate | Resize) -> None:
        if isinstance(action, Preempt):
            run.preemptions += 1
        elif isinstance(action, Migrate):
            run.migrations += 1
        elif isinstance(action, Resize):
            run.resizes += 1
        self._leave(run, () if isinstance(action, Preempt) else action.placement)

    def _leave(self, run: Run, target: Placement) -> None:
        """Send a job from where it is to `target`, or nowhere: after a cut if its program runs."""
        cut_s = run.job.moving.pause_s / 2 if run.rate else 0.0
        cutting = bool(run.job.leaving)
        if not cutting:
            run.halt(self.now)
        run.dead = False
        run.target = target
        self.claims.pop(run.job.name, None)
        state = State.STARTING if target else State.WAITING
        self._put(run, state=state, placement=target, leaving=run.held, started=self.now)
        if cutting:
            return
        if cut_s:
            run.saved = True
            run.moving_gpu_s += cut_s * run.gpus
            self._at(self.now + cut_s, Event.CUT, run.job.name, run.timer)
        else:
            self._left(run)

    def _left(self, run: Run) -> None:
        """The nodes are left; if the job is to go on, it queues for the GPUs of its target."""
        self._release(run)
        if run.job.leaving:
            self._put(run, leaving=())
        if run.target:
            self.claims[run.job.name] = run

    def _settle(self) -> None:
        """Let those claims go ahead whose GPUs have come free."""
        for name, run in list(self.claims.items()):
            need = Counter(run.target)
            gpus = run.job.gpus_per_worker
            if all(self.nodes[n].ready and self.free[n] >= count * gpus for n, count in need.items()):
                del self.claims[name]
                self._occupy(run)

    def _occupy(self, run: Run) -> None:
        for node in run.target:
            self.free[node] -= run.job.gpus_per_worker
        run.held = run.target
        restore_s = run.job.moving.pause_s / 2 if run.saved else 0.0
        if restore_s:
            run.moving_gpu_s += restore_s * run.gpus
            run.timer += 1
            self._at(self.now + restore_s, Event.RESTORED, run.job.name, run.timer)
        else:
            self._begin(run)

    def _begin(self, run: Run) -> None:
        run.begin(self.now, speed(len(run.held), run.job.workers))
        self._put(run, state=State.RUNNING, started=self.now)
        self._at(self.now + run.left_s / run.rate, Event.FINISHED, run.job.name, run.timer)

    def _await(self, name: str) -> None:
        following = next(self._changes[name], None)
        if following is not None:
            time, self._next[name] = following
            self._at(time, Event.NODE, name)

    def _change(self, name: str) -> None:
        """A node fails, comes back, or is cordoned."""
        change = self._next[name]
        ready = change is not Change.DOWN
        self.nodes[name] = replace(self.nodes[name], ready=ready, cordoned=change is Change.CORDONED)
        self.policy.put_node(self.nodes[name])
        self._changed += 1
        self._await(name)
        for run in list(self.active.values()) if not ready else ():
            if name in run.held:
                self._crash(run)

    def _crash(self, run: Run) -> None:
        """A job loses a node: what runs is lost until the policy reacts; what was leaving is gone at once."""
        leaving = bool(run.job.leaving)
        run.crash(self.now, self.cost.interval_s)
        if leaving:
            self._left(run)
        else:
            self._put(run)
