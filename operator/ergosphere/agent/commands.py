"""What each command of the operator changes: it only records a wish; `advance` finds what to do about it."""

from dataclasses import replace

from ergosphere.agent.errors import Refused
from ergosphere.agent.state import Cut, Program, State, Wishes
from ergosphere.api.agent import (
    Abort,
    Command,
    Commit,
    Dump,
    Failure,
    Freeze,
    Go,
    Leave,
    Lock,
    Release,
    Renew,
    Store,
)

PAST_CUTS = 64
"""How many finished cuts are remembered; late commands are at most a few cuts old."""


def apply(state: State, command: Command, now: float) -> State:
    """The state with the command's wish in it. Raises Refused."""
    if isinstance(command, Go):
        return _go(state, command)
    if command.cut in state.past:
        return state
    if isinstance(command, Lock):
        return _lock(state, command, now)
    if isinstance(command, Abort):
        return _abort(state, command)
    cut = _current(state, command.cut)
    if isinstance(command, Renew):
        return _renew(state, command, now)
    return state.with_cut(wishes=_wish(state, cut, command))


def _current(state: State, cut_id: str) -> Cut:
    if state.cut is None or state.cut.id != cut_id:
        raise Refused("UnknownCut", f"This worker takes no part in cut {cut_id}; send Lock first.")
    return state.cut


def _go(state: State, command: Go) -> State:
    if state.world > 1 and set(command.peers) != set(range(state.world)):
        raise Refused("WrongPeers", f"Go must name the address of each rank from 0 to {state.world - 1}.")
    return replace(state, go=command.peers)


def _lock(state: State, command: Lock, now: float) -> State:
    current = state.cut
    if current and current.id == command.cut:
        return state
    if current and current.holds:
        raise Refused("CutInProgress", f"Cut {current.id} holds this worker; abort or release it first.")
    cut = Cut(command.cut, now + command.lease_seconds, command.lease_seconds)
    if state.program is not Program.RUNNING:
        message = f"A cut needs a running program; this worker is {state.phase()}."
        cut = replace(cut, failure=Failure(reason="NotRunning", message=message))
    return replace(_supersede(state), cut=cut)


def _supersede(state: State) -> State:
    """The state with its cut, which must not hold the program, put into the past; its image is garbage."""
    if state.cut is None:
        return state
    return replace(_forget(state, state.cut.id), cut=None).without_image(state.cut.id)


def _forget(state: State, cut_id: str) -> State:
    return replace(state, past=(*state.past, cut_id)[-PAST_CUTS:])


def _abort(state: State, command: Abort) -> State:
    cut = state.cut
    if cut and cut.id == command.cut:
        return state if state.program is Program.LEFT else state.failing(command.failure, abort=True)
    if cut and cut.holds:
        return _forget(state, command.cut)
    # The operator waits until each rank reports the abort, also a rank that the Lock never reached.
    gone = Cut(command.cut, 0.0, 0.0, Wishes(abort=True), undone=True, failure=command.failure)
    return replace(_supersede(state), cut=gone)


def _renew(state: State, command: Renew, now: float) -> State:
    if not state.lease_runs():
        return state
    return state.with_cut(lease_until=now + command.lease_seconds, lease_seconds=command.lease_seconds)


def _wish(state: State, cut: Cut, command: Freeze | Dump | Store | Commit | Release | Leave) -> Wishes:
    match command:
        case Freeze():
            return replace(cut.wishes, freeze=True)
        case Dump():
            return replace(cut.wishes, dump=True)
        case Store():
            return replace(cut.wishes, store=True)
        case Release():
            return replace(cut.wishes, release=True)
        case Commit():
            return replace(cut.wishes, commit=_checked_digests(state, cut, command))
        case Leave():
            return replace(cut.wishes, leave=_checked_leave(state, cut))


def _checked_digests(state: State, cut: Cut, command: Commit) -> tuple[str, ...]:
    digests = tuple(command.digests)
    if not cut.stored or len(digests) != state.world or digests[state.rank] != cut.digest:
        raise Refused(
            "WrongDigests", f"Commit must name {state.world} stored ranks, this one as it reported."
        )
    return digests


def _checked_leave(state: State, cut: Cut) -> bool:
    if not cut.stored:
        raise Refused("NotStored", "The program may only be ended once its image is stored.")
    if cut.wishes.release or cut.wishes.abort:
        raise Refused("NotFrozen", f"Cut {cut.id} has let the program run on; ending it would lose work.")
    return True
