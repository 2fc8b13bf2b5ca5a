"""What the ends of effects change in the state."""

from dataclasses import replace

from ergosphere.agent import effects as do
from ergosphere.agent.events import BUSY_SECONDS, asked_again, happened
from ergosphere.agent.inputs import Failed, Outcome, Succeeded
from ergosphere.agent.node import incompatibility
from ergosphere.agent.state import RESTORE_DIRECTORY, Program, State
from ergosphere.api.agent import Failure

RETRY_SECONDS = 1.0
"""Pause before a thaw, an unlock or a look at the network of a running program that failed is tried again."""

_CutWork = (
    do.NetLock | do.LauncherPrepare | do.LauncherFreeze | do.LauncherDump | do.StoreSave | do.StoreCommit
)
_BEFORE_START = (Program.UNKNOWN, Program.WAITING)


def failed(state: State, result: Failed, now: float) -> State:
    """The state after an effect was not carried out."""
    state = _free_lane(state, result.work)
    if result.lost:
        return state
    if result.failure.reason == "Busy":
        return asked_again(state, now + BUSY_SECONDS)
    match result.work:
        case do.LauncherStatus():
            return state
        case do.LauncherRenew():
            return replace(state, resync=True)
        case do.RemoveImages() | do.StoreAbandon():
            return _given_up(state, result.work)
        case work if isinstance(work, _CutWork):
            return _cut_failed(state, work, result.failure)
        case work if _must_be_done(state, work):
            return asked_again(state, now + RETRY_SECONDS)
        case do.NetSever():
            return replace(state, strange=())
        case do.StoreFetch() if state.program not in _BEFORE_START:
            return state
    return replace(state, failure=state.failure or result.failure)


def _must_be_done(state: State, work: do.Work) -> bool:
    """Whether there is no going on without it: a program that ran has its network, which may be locked."""
    if isinstance(work, do.NetUp):
        return state.begun
    return isinstance(work, do.LauncherThaw | do.LauncherLeave | do.NetUnlock)


def _cut_failed(state: State, work: _CutWork, failure: Failure) -> State:
    # A program that was frozen when its dump failed runs on by now.
    if isinstance(work, do.LauncherDump) and state.program is Program.FROZEN:
        state = replace(state, resync=True)
    is_current = state.cut is not None and state.cut.id == work.cut
    return state.failing(failure) if is_current else state


def succeeded(state: State, result: Succeeded, now: float) -> State:
    """The state after an effect was carried out."""
    state = _free_lane(state, result.work)
    found = result.outcome
    if isinstance(result.work, do.NetWork):
        return _network(state, result.work, found)
    match result.work:
        case do.LauncherStatus() if found.status:
            return happened(state, found.status, now)
        case do.LauncherStart() | do.LauncherThaw():
            return _standing(state, Program.RUNNING)
        case do.LauncherPrepare(cut):
            # A program that saves its own state may go on talking to its peers: for it this is the barrier.
            return _cut_changed(state, cut, found, prepared=True, locked=state.cooperative)
        case do.LauncherLeave(cut):
            return replace(state, program=Program.LEFT).without_image(cut)
        case do.LauncherRestore():
            timings = {**state.restore_ms, **found.parts_ms}
            restored = replace(_standing(state, Program.RESTORED), restore="", restore_ms=timings)
            return restored.without_image(RESTORE_DIRECTORY)
        case do.StoreFetch():
            return _fetched(state, found)
        case do.LauncherFreeze(cut) | do.LauncherDump(cut) | do.StoreSave(cut) | do.StoreCommit(cut):
            return _cut_advanced(state, result.work, found)
        case do.RemoveImages() | do.StoreAbandon():
            return _given_up(state, result.work)
    return state


def _standing(state: State, program: Program) -> State:
    """The state with the program so, unless word of its end has overtaken the launcher's answer."""
    return state if state.program is Program.EXITED else replace(state, program=program)


def _given_up(state: State, work: do.RemoveImages | do.StoreAbandon) -> State:
    """The state without the clearing up, done or failed: what is left over costs space, nothing else."""
    if isinstance(work, do.StoreAbandon):
        return replace(state, abandon=tuple(cut for cut in state.abandon if cut != work.cut))
    return replace(state, garbage=tuple(name for name in state.garbage if name not in work.names))


def _network(state: State, work: do.NetWork, found: Outcome) -> State:
    match work:
        case do.NetUp():
            return replace(state, network_up=True, network_locked=found.locked)
        case do.NetOpen():
            return replace(state, network_open=True, network_locked=False)
        case do.NetLock(cut):
            state = replace(state, network_locked=True)
            return _cut_changed(state, cut, found, locked=True)
        case do.NetAdopt():
            return replace(state, adopted=True)
        case do.NetSever():
            return replace(state, strange=())
    return replace(state, network_locked=False)


def _fetched(state: State, found: Outcome) -> State:
    fetched = replace(state, fetched=True, restore_ms={**state.restore_ms, **found.parts_ms})
    if found.origin is None:
        return fetched
    if failure := incompatibility(found.origin.platform, state.platform):
        return replace(state, failure=failure)
    return replace(fetched, strange=found.origin.addresses)


def _cut_advanced(state: State, work: do.Work, found: Outcome) -> State:
    match work:
        case do.LauncherFreeze(cut):
            return _cut_changed(_standing(state, Program.FROZEN), cut, found, frozen=True)
        case do.LauncherDump(cut):
            state = _standing(state, Program.FROZEN)
            return _cut_changed(state, cut, found, dumped=True, bytes=found.bytes)
        case do.StoreSave(cut):
            facts = {"digest": found.digest, "bytes": found.bytes, "new_bytes": found.new_bytes}
            return _cut_changed(state.without_image(cut), cut, found, stored=True, **facts)
        case do.StoreCommit(cut):
            return _cut_changed(state, cut, found, committed=True)
    return state


def _cut_changed(state: State, cut_id: str, found: Outcome, **changes: object) -> State:
    if state.cut is None or state.cut.id != cut_id:
        return state
    return state.with_cut(parts_ms={**state.cut.parts_ms, **found.parts_ms}, **changes)


def _free_lane(state: State, work: do.Work) -> State:
    if state.tree == work:
        return replace(state, tree=None)
    if state.store == work:
        return replace(state, store=None, cancelling=False)
    return state
