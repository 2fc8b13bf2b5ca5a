"""The work in progress of one plan: what is assigned so far, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ergosphere.scheduling import promise
from ergosphere.scheduling.admission import Admission
from ergosphere.scheduling.book import Book
from ergosphere.scheduling.model import Action, Job, Migrate, Placement, Preempt, Resize, Start, Tier, Waiting
from ergosphere.scheduling.order import expectation
from ergosphere.scheduling.placing import place
from ergosphere.scheduling.rules import Rules
from ergosphere.scheduling.space import Space


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a job is given or loses a placement: a CamelCase reason and a sentence for its owner."""

    reason: str
    message: str


Assignment = tuple[Placement, Cause]


class Cycle:
    """Assignments on top of what is; `close` takes them back from the index."""

    def __init__(self, space: Space, book: Book, tiers: Mapping[str, Tier], rules: Rules, now: float) -> None:
        self.space = space
        self.book = book
        self.tiers = tiers
        self.rules = rules
        self.now = now
        self.target: dict[str, Placement] = {}
        self.cause: dict[str, Cause] = {}
        self.admitted: dict[str, Job] = {}
        self.admission = Admission(space.capacity, tiers)
        self.waiting: dict[str, Waiting] = {}
        self.look_again: float | None = None
        self.dropped: list[str] = []
        """Jobs whose GPUs this plan took, in that order; some were given back."""
        self.released = 0
        """How often room was made; grows when what did not fit before may fit now."""

    def admit(self, job: Job) -> None:
        """Promise the job its tier's fraction from now on."""
        self.admitted[job.name] = replace(job, admitted=self.now)

    def job(self, name: str) -> Job:
        """The job as of this plan: with the promise just made to it, if any."""
        return self.admitted.get(name) or self.book.jobs[name]

    def placement(self, job: Job) -> Placement:
        """Where the job is to be, as far as decided."""
        return self.target.get(job.name, job.placement)

    def assign(self, job: Job, placement: Placement, cause: Cause) -> Assignment | None:
        """Give the job this placement instead of the one it has; what was decided of it before."""
        before = (self.target[job.name], self.cause[job.name]) if job.name in self.target else None
        self.space.take(self.placement(job), job.gpus_per_worker, -1)
        self.space.take(placement, job.gpus_per_worker)
        self.target[job.name] = placement
        self.cause[job.name] = cause
        if not placement:
            self.dropped.append(job.name)
        return before

    def restore(self, job: Job, before: Assignment | None) -> None:
        """Take back the last assignment, which returned `before`."""
        if before is None:
            self.unassign(job)
        else:
            self.assign(job, *before)

    def unassign(self, job: Job) -> None:
        """Let the job stay as it is."""
        self.space.take(self.target.pop(job.name), job.gpus_per_worker, -1)
        self.space.take(job.placement, job.gpus_per_worker)
        del self.cause[job.name]

    def place(self, job: Job, workers: int, avoid: int = 0) -> Placement | None:
        """Room for that many workers of the job; see `placing.place`."""
        return place(self.space, job, workers, avoid)

    def expected(self, job: Job) -> float:
        """GPU-seconds; see `order.expectation`."""
        if job.ledger is not self.book.jobs[job.name].ledger:
            return expectation(job, self.now, self.rules)[
                0
            ]  # as it would be if it were stopped: not to be kept
        known = self.book.guesses.get(job.name)
        if known is None or known[1] <= self.now:
            known = self.book.guesses[job.name] = expectation(job, self.now, self.rules)
        return known[0]

    def surplus(self, job: Job) -> float:
        """See `promise.surplus`."""
        return promise.surplus(job, self.now, self.tiers)

    def promise(self, job: Job) -> float:
        """See `promise.promise`."""
        return promise.promise(job, self.tiers)

    def fraction(self, job: Job) -> float:
        """See `promise.fraction`."""
        return promise.fraction(job, self.now, self.tiers)

    def due(self, job: Job) -> float | None:
        """See `promise.due`."""
        return promise.due(job, self.tiers, self.rules)

    def endures(self, job: Job) -> bool:
        """See `promise.endures`."""
        return promise.endures(job, self.now, self.tiers, self.rules)

    def settled(self, job: Job) -> bool:
        """Whether the job may be moved at all: it is not on the move, and not decided upon yet.

        Jobs with a lost node are decided upon first of all.
        """
        return not job.leaving and job.name not in self.target

    def yields(self, job: Job) -> bool:
        """Whether the job may give up GPUs, perhaps those that this plan has just given to it."""
        return bool(self.placement(job)) and not job.leaving

    def stays(self, placement: Sequence[str]) -> bool:
        """Whether nobody has to leave any of these nodes, so that workers may be started there anew."""
        return all(self.space.usable >> self.space.number[node] & 1 for node in placement)

    def rested(self, job: Job) -> bool:
        """Whether the job had its minimum run time since it was last placed."""
        return job.started + self.rules.min_run_s <= self.now

    def again(self, time: float) -> None:
        """Plan again at `time`, which is to come, at the latest."""
        if self.look_again is None or time < self.look_again:
            self.look_again = time

    def close(self) -> None:
        """Leave the index as it was."""
        for name, placement in self.target.items():
            job = self.book.jobs[name]
            self.space.take(placement, job.gpus_per_worker, -1)
            self.space.take(job.placement, job.gpus_per_worker)

    def actions(self) -> tuple[Action, ...]:
        """The assignments as actions, those that only free GPUs first."""
        made = [action for action in map(self._action, self.target) if action is not None]
        return tuple(sorted(self._ordered(made), key=_freeing))

    def _action(self, name: str) -> Action | None:
        job, target, cause = self.book.jobs[name], self.target[name], self.cause[name]
        lost = not self.space.alive.issuperset(job.placement)
        if not target:
            return Preempt(name, cause.reason, cause.message, cut=not lost) if job.placement else None
        if not job.placement or lost:
            return Start(name, target, cause.reason, cause.message)
        if len(target) != len(job.placement):
            return Resize(name, target, cause.reason, cause.message)
        if Counter(target) == Counter(job.placement):
            return None
        return Migrate(name, target, cause.reason, cause.message)

    def _ordered(self, actions: list[Action]) -> list[Action]:
        """The actions with `after` filled in: whom each has to wait for."""
        going: dict[str, Counter[str]] = {node: Counter(jobs) for node, jobs in self.book.leaving.items()}
        for action in actions:
            job = self.book.jobs[action.job]
            for node in job.placement:
                going.setdefault(node, Counter())[job.name] += job.gpus_per_worker
        return [self._waits(action, going) for action in actions]

    def _waits(self, action: Action, going: Mapping[str, Counter[str]]) -> Action:
        if isinstance(action, Preempt):
            return action
        gpus = self.book.jobs[action.job].gpus_per_worker
        others: set[str] = set()
        for node in dict.fromkeys(action.placement) if gpus else ():
            here = going.get(node)
            if here and self.space.free[self.space.number[node]] < here.total():
                others |= here.keys()
        return replace(action, after=tuple(sorted(others - {action.job})))


def _freeing(action: Action) -> bool:
    return not isinstance(action, Preempt)
