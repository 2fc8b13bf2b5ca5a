"""The cut of a gang: every interleaving ends in all-committed or all-resumed, never in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.controller.gang import SimulatedAgent

from ergosphere.api.agent import CutReport, CutStep, Phase
from ergosphere.controller import barrier


def cut(ranks: int, *, leaving: bool, recorded: bool = False) -> barrier.Cut:
    return barrier.Cut("c1", ranks, leaving=leaving, recorded=recorded, lease_seconds=15)


def drive(agents, *, leaving: bool):
    """Tell the agents what the barrier says until it has a final verdict."""
    recorded = False
    for _ in range(100):
        orders = barrier.advance(
            cut(len(agents), leaving=leaving, recorded=recorded), {a.rank: a.report() for a in agents}
        )
        if isinstance(orders.verdict, barrier.Committed) and leaving:
            recorded = True
        elif orders.verdict:
            return orders.verdict
        for rank, command in orders.commands.items():
            agents[rank].tell(command)
    raise AssertionError("the cut does not end")


@pytest.mark.parametrize("ranks", [1, 4, 64])
def test_a_gang_that_stays_runs_again_before_its_image_is_stored(ranks):
    agents = [SimulatedAgent(rank) for rank in range(ranks)]
    verdict = drive(agents, leaving=False)
    assert isinstance(verdict, barrier.Committed)
    assert verdict.bytes == 10 * ranks
    assert [a.told[:5] for a in agents] == [["Lock", "Freeze", "Dump", "Release", "Store"]] * ranks
    assert all(a.phase is Phase.RUNNING for a in agents)
    assert [a.rank for a in agents if "Commit" in a.told] == [0]


def test_a_gang_that_leaves_ends_only_after_its_checkpoint_is_recorded():
    agents = [SimulatedAgent(rank) for rank in range(3)]
    reports = {a.rank: a.report() for a in agents}
    while "Commit" not in agents[0].told:
        for rank, command in barrier.advance(cut(3, leaving=True), reports).commands.items():
            agents[rank].tell(command)
        reports = {a.rank: a.report() for a in agents}
    unrecorded = barrier.advance(cut(3, leaving=True), reports)
    assert isinstance(unrecorded.verdict, barrier.Committed)
    assert unrecorded.commands == {}
    recorded = barrier.advance(cut(3, leaving=True, recorded=True), reports)
    assert {c.kind for c in recorded.commands.values()} == {"Leave"}


def test_nobody_is_dumped_while_one_rank_is_not_locked():
    agents = [SimulatedAgent(rank) for rank in range(3)]
    for agent in agents[:2]:
        agent.tell(barrier.Lock(cut="c1", lease_seconds=15))
    orders = barrier.advance(cut(3, leaving=False), {a.rank: a.report() for a in agents})
    assert {rank: c.kind for rank, c in orders.commands.items()} == {2: "Lock"}
    assert set(orders.renewals) == {0, 1}


def test_nobody_is_dumped_while_one_rank_does_not_stand_still():
    agents = [SimulatedAgent(rank) for rank in range(3)]
    for agent in agents:
        agent.tell(barrier.Lock(cut="c1", lease_seconds=15))
    agents[0].tell(barrier.Freeze(cut="c1"))
    orders = barrier.advance(cut(3, leaving=False), {a.rank: a.report() for a in agents})
    assert {rank: c.kind for rank, c in orders.commands.items()} == {1: "Freeze", 2: "Freeze"}
    assert set(orders.renewals) == {0, 1, 2}


def test_ranks_that_are_frozen_and_dumped_in_one_are_told_so():
    agents = [SimulatedAgent(rank, freezes=False) for rank in range(2)]
    assert isinstance(drive(agents, leaving=False), barrier.Committed)
    assert [a.told[:3] for a in agents] == [["Lock", "Dump", "Release"]] * 2


def test_a_silent_rank_is_waited_for_and_the_others_are_not_told_to_go_on():
    agents = [SimulatedAgent(rank) for rank in range(2)]
    agents[0].tell(barrier.Lock(cut="c1", lease_seconds=15))
    orders = barrier.advance(cut(2, leaving=False), {0: agents[0].report()})
    assert orders.commands == {}
    assert orders.verdict is None


def test_no_lease_is_extended_while_a_rank_is_waited_for():
    agents = [SimulatedAgent(rank) for rank in range(2)]
    agents[0].tell(barrier.Lock(cut="c1", lease_seconds=15))
    assert barrier.advance(cut(2, leaving=False), {0: agents[0].report()}).renewals == {}


@pytest.mark.parametrize("told", [["Lock"], ["Lock", "Freeze"], ["Lock", "Freeze", "Dump"]])
@pytest.mark.parametrize("leaving", [True, False])
def test_the_others_do_without_a_cut_one_of_whose_agents_has_fallen_silent(told, leaving):
    agents = [SimulatedAgent(rank) for rank in range(3)]
    kinds = {"Lock": barrier.Lock(cut="c1", lease_seconds=15), "Freeze": barrier.Freeze(cut="c1")}
    kinds["Dump"] = barrier.Dump(cut="c1")
    for agent in agents:
        for kind in told:
            agent.tell(kinds[kind])
    reports = {a.rank: a.report() for a in agents}
    orders = barrier.advance(cut(3, leaving=leaving), reports, {1})
    assert {rank: c.kind for rank, c in orders.commands.items()} == {0: "Abort", 2: "Abort"}
    assert (orders.renewals, orders.verdict) == ({}, None)
    for rank, command in orders.commands.items():
        agents[rank].tell(command)
    ended = barrier.advance(cut(3, leaving=leaving), {a.rank: a.report() for a in agents}, {1})
    assert isinstance(ended.verdict, barrier.Failed)
    assert ended.verdict.failure.reason == "WorkerSilent"
    assert [agents[rank].phase for rank in (0, 2)] == [Phase.RUNNING, Phase.RUNNING]


def test_a_recorded_cut_does_not_fail_for_a_silent_agent():
    agents = [SimulatedAgent(rank, phase=Phase.FROZEN) for rank in range(2)]
    orders = barrier.advance(cut(2, leaving=True, recorded=True), {a.rank: a.report() for a in agents}, {1})
    assert orders.verdict is None


@pytest.mark.parametrize("step", ["Lock", "Freeze", "Dump", "Store", "Commit"])
@pytest.mark.parametrize("leaving", [True, False])
def test_one_rank_failing_at_any_step_resumes_all(step, leaving):
    agents = [SimulatedAgent(rank) for rank in range(3)]
    agents[0 if step == "Commit" else 1].fails_at = step
    if step == "Lock":
        agents[1].part = CutReport(cut="c1")
    verdict = drive(agents, leaving=leaving)
    assert isinstance(verdict, barrier.Failed)
    assert verdict.failure.reason == "Broken"
    assert all(a.phase is Phase.RUNNING for a in agents)
    assert all(a.part is None or a.part.step is CutStep.ABORTED for a in agents)


def test_a_program_that_ends_before_it_is_cut_fails_the_cut():
    agents = [SimulatedAgent(0, phase=Phase.EXITED)]
    verdict = drive(agents, leaving=True)
    assert isinstance(verdict, barrier.Failed)
    assert verdict.failure.reason == "ProgramEnded"


@pytest.mark.parametrize("heard", [{0, 1}, {0}], ids=["both heard", "the one that left silent"])
def test_a_recorded_cut_does_not_fail_when_a_rank_runs_on_after_another_has_left(heard):
    agents = [SimulatedAgent(rank) for rank in range(2)]
    while "Commit" not in agents[0].told:
        for rank, command in barrier.advance(
            cut(2, leaving=True), {a.rank: a.report() for a in agents}
        ).commands.items():
            agents[rank].tell(command)
    agents[1].tell(barrier.Leave(cut="c1"))
    agents[0].expire()
    reports = {a.rank: a.report() for a in agents if a.rank in heard}
    orders = barrier.advance(cut(2, leaving=True, recorded=True), reports)
    assert (orders.commands, orders.verdict) == ({}, None)


def _act_out(data, agents, *, leaving: bool):
    """Run the cut with silent ranks, lost commands and leases that end, as hypothesis likes."""
    ranks = len(agents)
    recorded, verdict = False, None
    for _ in range(60):
        heard = data.draw(st.sets(st.integers(0, ranks - 1), max_size=ranks), label="silent")
        reports = {a.rank: a.report() for a in agents if a.rank not in heard}
        orders = barrier.advance(cut(ranks, leaving=leaving, recorded=recorded), reports)
        verdict = orders.verdict
        if isinstance(verdict, barrier.Failed | barrier.Left):
            break
        if isinstance(verdict, barrier.Committed):
            recorded = True
            if not leaving:
                break
        lost = data.draw(st.sets(st.integers(0, ranks - 1), max_size=1), label="command lost")
        for rank, command in orders.commands.items():
            if rank not in lost:
                agents[rank].tell(command)
        if data.draw(st.integers(0, 9), label="expiry") == 0:
            agents[data.draw(st.integers(0, ranks - 1))].expire()
    return recorded, verdict


@settings(max_examples=150)
@given(data=st.data())
def test_every_interleaving_ends_all_committed_or_all_resumed(data):
    ranks = data.draw(st.integers(1, 4), label="ranks")
    leaving = data.draw(st.booleans(), label="leaving")
    agents = [SimulatedAgent(rank) for rank in range(ranks)]
    steps = st.sampled_from(["", "", "Freeze", "Dump", "Store"])
    for agent in agents:
        agent.freezes = data.draw(st.booleans(), label=f"rank {agent.rank} freezes apart")
        agent.fails_at = data.draw(steps, label=f"rank {agent.rank} fails at")
    recorded, verdict = _act_out(data, agents, leaving=leaving)
    for agent in agents:
        agent.expire()
    gone = [a for a in agents if a.phase is Phase.LEFT]
    running = [a for a in agents if a.phase is Phase.RUNNING]
    assert len(gone) + len(running) == ranks
    # A rank is gone only with a checkpoint to come back from, and a recorded one names every rank.
    assert not gone or recorded
    if isinstance(verdict, barrier.Left):
        assert len(gone) == ranks
    if isinstance(verdict, barrier.Failed):
        assert len(running) == ranks
