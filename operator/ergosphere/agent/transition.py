"""The agent's core: one step from a state and an input to the next state and the effects to carry out."""

from dataclasses import replace

from ergosphere.agent import outcomes
from ergosphere.agent.advance import advance
from ergosphere.agent.commands import apply
from ergosphere.agent.effects import Effect
from ergosphere.agent.events import happened
from ergosphere.agent.inputs import Commanded, Failed, Input, Succeeded, Tick
from ergosphere.agent.state import State
from ergosphere.api.agent import Failure

_LEASE_EXPIRED = Failure(
    reason="LeaseExpired", message="The operator did not renew the cut in time; the program runs on."
)


def step(state: State, received: Input, now: float) -> tuple[State, list[Effect]]:
    """Take one input. `now` is this node's monotonic clock in seconds.

    The new state's version is higher if and only if its report differs. Raises Refused for a command that
    does not fit; the state then stays as it was.
    """
    heard = _leased(_heard(state, received, now), now)
    after, effects = advance(heard, now)
    changed = replace(after, version=state.version).report() != state.report()
    return replace(after, version=state.version + changed), effects


def _heard(state: State, received: Input, now: float) -> State:
    match received:
        case Commanded(command):
            return apply(state, command, now)
        case Succeeded():
            return outcomes.succeeded(state, received, now)
        case Failed():
            return outcomes.failed(state, received, now)
        case Tick():
            return state
    return happened(state, received, now)


def _leased(state: State, now: float) -> State:
    """The state after a look at the clock: a due retry is free to go, a lease at its end undoes the cut."""
    if state.retry_at is not None and now >= state.retry_at:
        state = replace(state, retry_at=None)
    if state.cut and state.lease_runs() and now >= state.cut.lease_until:
        return state.failing(_LEASE_EXPIRED, abort=True)
    return state
