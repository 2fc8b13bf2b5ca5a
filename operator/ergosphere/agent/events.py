"""What the launcher's words, and its silence, change in the state."""

from dataclasses import replace

from ergosphere.agent import effects as do
from ergosphere.agent.inputs import Connected, Disconnected, Event, Exited, Gone, Terminating, Thawed
from ergosphere.agent.state import Cut, Program, State, Wishes
from ergosphere.api.agent import Failure

BUSY_SECONDS = 0.1
"""Pause before a launcher that is still at work for this agent's predecessor is asked again."""


def happened(state: State, event: Event, now: float) -> State:
    """The state after an event at the launcher."""
    match event:
        case Connected():
            return _connected(state, event, now)
        case Disconnected():
            return replace(state, connected=False)
        case Gone():
            return _gone(state)
        case Exited():
            return _exited(state, event)
        case Thawed():
            return _thawed(state, event)
        case Terminating():
            return replace(state, terminating=True)


def asked_again(state: State, at: float) -> State:
    """The state in which the launcher is asked then where the program stands; until then nobody knows."""
    return replace(state, retry_at=at, resync=True)


def _connected(state: State, word: Connected, now: float) -> State:
    """The state after the launcher said where the program stands."""
    state = replace(state, connected=True, resync=False)
    if word.busy:
        state = asked_again(state, now + BUSY_SECONDS)
    if state.program is Program.LEFT:
        return state
    state = replace(state, program=Program(word.state), exit=word.exit)
    if state.program is not Program.WAITING:
        state = replace(state, restore="")
    if state.program is Program.FROZEN and (state.cut is None or state.cut.id != word.cut):
        return _adopt_unknown(state, word.cut)
    return _unless_held(state, "The program ran on while the agent was away: its lease had ended.")


def _adopt_unknown(state: State, cut_id: str) -> State:
    """A program frozen for a cut of which nothing is known any more must run again."""
    failure = Failure(reason="CutUnknown", message="The agent lost what it knew of this cut.")
    past = (*state.past, state.cut.id) if state.cut else state.past
    return replace(
        state, past=past, cut=Cut(cut_id, 0.0, 0.0, Wishes(abort=True), dumped=True, failure=failure)
    )


def _unless_held(state: State, message: str) -> State:
    """Fail a cut that should hold its program but does not: other ranks may have heard from it."""
    cut = state.cut
    if (
        cut
        and (cut.frozen or cut.dumped)
        and cut.holds
        and not cut.wishes.release
        and state.program is Program.RUNNING
    ):
        return state.failing(Failure(reason="LeaseExpired", message=message), abort=True)
    return state


def _gone(state: State) -> State:
    """The state after the launcher's end. If it was told to leave, that is what it did, unheard."""
    if state.cut and state.cut.wishes.leave and state.program is not Program.LEFT:
        return replace(state, program=Program.LEFT).without_image(state.cut.id)
    return state


def _exited(state: State, event: Exited) -> State:
    """The state after the program's end. An image that is on disk can still be stored."""
    if state.program is Program.LEFT or isinstance(state.tree, do.LauncherLeave):
        return state
    state = replace(state, program=Program.EXITED, exit=event.exit)
    if state.cut and state.cut.holds and not state.cut.dumped:
        gone = Failure(reason="ProgramExited", message="The program ended before its image was written.")
        return state.failing(gone, abort=True)
    return state


def _thawed(state: State, event: Thawed) -> State:
    """The state after the launcher resumed the program by itself."""
    state = replace(state, program=Program.RUNNING)
    return _unless_held(state, f"The launcher resumed the program by itself ({event.reason}).")
