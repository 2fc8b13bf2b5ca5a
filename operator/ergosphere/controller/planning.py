"""One planning cycle: from what is known to a decision, or a reason to wait, for each job."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC

from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import Action, Job, Preempt, Tier
from ergosphere.scheduling.plan import Follower
from ergosphere.workload.volumes import Binding

from . import fleet, metrics, starting
from .anchoring import anchored
from .cache import Cache
from .conditions import Waiting
from .feasible import Feasible
from .outage import doubtful
from .reflector import Key
from .resources import PODS
from .view import JobView

_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Basis = tuple[int, bool, str]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The planner's word on jobs, by key, which of a job's nodes are lost, and why a job cannot leave them.

    An action holds for the job as it was planned for, and for no later state of it.
    """

    actions: Mapping[Key, tuple[Basis, Action]] = field(default_factory=dict)
    waiting: Mapping[Key, Waiting] = field(default_factory=dict)
    lost: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    anchored: Mapping[Key, Waiting] = field(default_factory=dict)
    admitted: frozenset[Key] = frozenset()
    fractions: Mapping[Key, str | None] = field(default_factory=dict)

    def action(self, key: Key, view: JobView) -> Action | None:
        """What to do with a job now, if it still stands as it did when that was decided."""
        basis, action = self.actions.get(key, (None, None))
        return action if basis == _basis(view) else None

    def differing(self, other: "Decisions") -> set[Key]:
        """The jobs for which the two decide otherwise."""
        pairs: tuple[tuple[Mapping[Key, object], Mapping[Key, object]], ...] = (
            (self.actions, other.actions),
            (self.waiting, other.waiting),
            (self.lost, other.lost),
            (self.anchored, other.anchored),
            (self.fractions, other.fractions),
        )
        return {
            k for mine, theirs in pairs for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k)
        }


def decide(cache: Cache, now: float, levels: tuple[str, ...], planner: Follower) -> Decisions:
    """Plan for all jobs. `now` is in seconds since the epoch, as the times in the objects are.

    `planner` is best the one of the decisions before: then only what has changed costs time.
    """
    tiers = fleet.tiers(cache.tiers())
    nodes = cache.nodes()
    cache.look(now)
    views = [view for key in cache.jobs() if (view := cache.view(key, {}))]
    alive = {node["metadata"]["name"] for node in nodes} - cache.lost
    served = {**tiers, **fleet.orphaned(views, tiers)}
    wanting = [v for v in views if _is_served(v, tiers) and fleet.wants_gpus(v, alive)]
    seen = _seen(wanting, cache, Feasible(nodes), now, doubtful(nodes, cache.lost))
    known = [view for view in wanting if isinstance(seen[view.job.uid], Seen)]
    # A pod of a job that the planner does not see, such as one that has ended, is in the way like any other.
    ours = {v.job.uid: fleet.Share(v.job.namespace, v.job.spec.gpus_per_worker()) for v in known}
    space = fleet.fleet(nodes, cache.objects(PODS).values(), ours, levels, cache.lost)
    jobs = [one.job for one in seen.values() if isinstance(one, Seen)]
    bound = {uid: one.bound for uid, one in seen.items() if isinstance(one, Seen)}
    result = planner.plan(space, jobs, now, served)
    keys = {view.job.uid: (view.job.namespace, view.job.name) for view in views}
    for action in result.actions:
        metrics.ACTIONS.labels(type(action).__name__, action.reason).inc()
    held_up = _held_up(result.actions)
    actions = [action for action in result.actions if action.job not in held_up]
    waiting = {keys[uid]: Waiting(w.reason, w.message) for uid, w in result.waiting.items()}
    waiting |= {keys[uid]: _still_held(after, keys) for uid, after in held_up.items()}
    stuck = {key: why for key, why in waiting.items() if why.reason == "NoRoomToLeave"}
    stuck |= {keys[v.job.uid]: held for v in known if (held := anchored(v, nodes, bound[v.job.uid], space))}
    waiting |= {key: why for key, why in stuck.items() if key in waiting}
    here = {node.platform for node in space.nodes.values()}
    refused = {keys[v.job.uid]: why for v in views if (why := _refusal(v, tiers, now) or _stranded(v, here))}
    refused |= {keys[uid]: one for uid, one in seen.items() if isinstance(one, Waiting)}
    basis = {view.job.uid: _basis(view) for view in views}
    return Decisions(
        {keys[a.job]: (basis[a.job], replace(a, message=by_name(a.message, keys))) for a in actions},
        waiting | refused,
        {keys[v.job.uid]: gone for v in views if (gone := fleet.lost(v, space))},
        stuck,
        frozenset(keys[uid] for uid in result.admitted),
        {keys[job.name]: _fraction(job.ledger, served[job.tier], now) for job in jobs},
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as the planner sees it, and its volumes that not every node has."""

    job: Job
    bound: tuple[Binding, ...]


def _seen(
    views: Iterable[JobView], cache: Cache, feasible: Feasible, now: float, doubt: frozenset[str]
) -> dict[str, Seen | Waiting]:
    """Each job by its uid. One whose pod template makes no sense waits, and keeps no other from its plan.

    The API server checks pods, not templates of them: anything may stand in one.
    """
    found: dict[str, Seen | Waiting] = {}
    for view in views:
        try:
            bound = cache.bindings(view.job)
            found[view.job.uid] = Seen(fleet.job(view, feasible, bound, now, doubt), bound)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            why = f"spec.template.spec is not one of a pod ({type(error).__name__}: {error})"
            found[view.job.uid] = Waiting("InvalidTemplate", why[:1024])
    return found


def by_name(message: str, keys: Mapping[str, Key]) -> str:
    """The message with names for uids: the planner knows a job by its uid, its owner by its name."""
    return _UID.sub(lambda found: "/".join(keys[found[0]]) if found[0] in keys else found[0], message)


def _fraction(ledger: Ledger, tier: Tier, now: float) -> str | None:
    """The GPU fraction to two decimals: finer ones would have the status written all the time."""
    got, wanted = ledger.received(now, tier.window_s)
    return f"{got / wanted:.2f}" if wanted else None


def _held_up(actions: Iterable[Action]) -> Mapping[str, tuple[str, ...]]:
    """The jobs that must not be given their GPUs yet, and those who still hold some of them.

    Jobs that wait for each other in a circle are not held up: each leaves its GPUs as it is cut.
    """
    after = {a.job: a.after for a in actions if not isinstance(a, Preempt)}
    ending: set[str] = set()
    while more := {job for job, others in after.items() if after.keys() & set(others) <= ending} - ending:
        ending |= more
    return {job: after[job] for job in sorted(ending) if after[job]}


def _still_held(after: Sequence[str], keys: Mapping[str, Key]) -> Waiting:
    names = ", ".join(sorted("/".join(keys[uid]) for uid in after))
    return Waiting("GpusStillHeld", f"waiting until {names} has left the GPUs that are meant for it")


def _basis(view: JobView) -> Basis:
    status = view.job.status
    return status.incarnation, bool(status.placement), status.cut.name if status.cut else ""


def _is_served(view: JobView, tiers: Mapping[str, Tier]) -> bool:
    """Whether a job may have nodes. One whose tier was deleted keeps what it has, until others need it."""
    return view.job.spec.tier in tiers or bool(view.job.status.placement)


def _refusal(view: JobView, tiers: Mapping[str, Tier], now: float) -> Waiting | None:
    """Why a job can be given no node, wherever there is room."""
    spec, later = view.job.spec, view.job.status.not_before
    if not _is_served(view, tiers):
        known = ", ".join(sorted(tiers)) or "none"
        return Waiting("UnknownTier", f"spec.tier: there is no ServiceTier {spec.tier!r}; there are: {known}")
    if starting.awaits_checkpoint(view) and spec.restore_from:
        return Waiting("CheckpointNotReady", _missing(view, spec.restore_from.name))
    if later and fleet.backs_off(view, now) and not spec.suspend and not view.job.finished:
        return Waiting("BackingOff", f"it failed, and is tried again at {later.astimezone(UTC):%H:%M:%S} UTC")
    return None


def _missing(view: JobView, name: str) -> str:
    """Why a job cannot begin from the checkpoint that its spec names."""
    named = view.checkpoint(name)
    if named is None:
        return f"there is no checkpoint {name}, from which it is to start"
    return f"checkpoint {name} has failed" if named.failed else f"waiting for checkpoint {name} to be Ready"


def _stranded(view: JobView, platforms: Set[str]) -> Waiting | None:
    """Why a job can be restored nowhere: the fleet has no node like the one that it was cut on."""
    needed = starting.required(view)
    if needed is None or view.job.status.placement or view.job.finished or view.job.deleted:
        return None
    if fleet.platform(needed) in platforms:
        return None
    message = f"cut on {needed.architecture} with kernel {needed.kernel}; no node has both"
    return Waiting("NoCompatibleNode", message)
