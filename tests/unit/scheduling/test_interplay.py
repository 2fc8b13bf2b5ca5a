"""What one step of a plan decides holds for those after it, and what it does not need it leaves alone."""

from dataclasses import replace

import pytest
from tests.unit.scheduling.clusters import applied

from ergosphere.scheduling.cycle import Cycle
from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import (
    DEFAULT_TIERS,
    Fleet,
    Job,
    Node,
    Plan,
    Relocation,
    Resize,
    Start,
    State,
    Topology,
)
from ergosphere.scheduling.order import expectation
from ergosphere.scheduling.plan import Follower, plan
from ergosphere.scheduling.planner import Planner
from ergosphere.scheduling.promise import stopped
from ergosphere.scheduling.rules import Rules

NOW = 100_000.0
LONG_AGO = NOW - 5000


def planned(jobs: list[Job], *nodes: Node) -> Plan:
    return plan(Fleet({node.name: node for node in nodes}), jobs, NOW)


def running(
    name: str, *placement: str, workers: int = 0, gpus: int = 1, since: float = LONG_AGO, **fields
) -> Job:
    asked = workers or len(placement)
    ledger = Ledger(((since, len(placement), asked),))
    times = {"submitted": since, "started": since, "ledger": ledger}
    return Job(name, asked, gpus, state=State.RUNNING, placement=placement, **{**times, **fields})


def waiting(name: str, gpus: int, since: float, **fields) -> Job:
    return Job(name, 1, gpus, submitted=since, started=since, ledger=Ledger(((since, 0, 1),)), **fields)


def test_a_job_that_moves_for_another_is_not_completed_where_it_was():
    few = running("few", "n0", "n0", workers=4, min_workers=1, max_workers=4, admitted=LONG_AGO)
    due = waiting("due", 8, LONG_AGO, tier="Premium", admitted=LONG_AGO)
    actions = {a.job: a for a in planned([due, few], Node("n0", 8), Node("n1", 8, foreign=1)).actions}
    assert actions["due"].placement == ("n0",)
    assert set(actions["few"].placement) == {"n1"}


@pytest.mark.parametrize("promised", [None, LONG_AGO])
def test_a_job_that_must_leave_a_node_neither_grows_nor_is_completed_there(promised: float | None):
    tier = "Standard" if promised else "Basic"
    limits = {"min_workers": 2, "max_workers": 4}
    job = running("j", "n0", "n0", workers=4, tier=tier, admitted=promised, **limits)
    done = planned([job], Node("n0", 8, cordoned=True), Node("n1", 8, foreign=7))
    assert done.actions == ()
    assert done.waiting["j"].reason == "NoRoomToLeave"


def test_a_job_does_not_shrink_to_workers_on_a_node_that_must_be_left():
    job = running("j", "n0", "n1", tier="Basic", min_workers=1, max_workers=2)
    due = waiting("due", 2, NOW - 5, tier="Premium", admitted=NOW - 5)
    done = planned([job, due], Node("n0", 2, cordoned=True), Node("n1", 2))
    assert not [action for action in done.actions if isinstance(action, Resize)]
    assert [action.job for action in done.actions if isinstance(action, Start)] == ["due"]


def test_room_that_a_promise_takes_is_not_found_for_a_job_that_must_leave_and_taken_from_it_again():
    leaver = running("leaver", "n1", gpus=2, tier="Basic")
    due = waiting("due", 2, NOW - 5, tier="Premium", gpu_types=frozenset("B"), admitted=NOW - 5)
    done = planned([leaver, due], Node("n0", 2, "B"), Node("n1", 2, "A", cordoned=True))
    assert [(action.job, type(action)) for action in done.actions] == [("due", Start)]
    assert done.waiting["leaver"].reason == "NoRoomToLeave"


def test_nor_for_one_whose_owner_wants_it_there():
    wish = Relocation(frozenset({"n0"}))
    leaver = running("leaver", "n1", gpus=2, tier="Basic", relocation=wish)
    due = waiting("due", 2, NOW - 5, tier="Premium", gpu_types=frozenset("B"), admitted=NOW - 5)
    done = planned([leaver, due], Node("n0", 2, "B"), Node("n1", 2, "A"))
    assert [(action.job, type(action)) for action in done.actions] == [("due", Start)]
    assert done.waiting["leaver"].reason == "NoRoomToMigrate"


def test_whoever_yielded_in_vain_keeps_its_gpus():
    """The claimant takes GPUs of type A; those of type B count as many, and are of no use to it."""
    nodes = Node("a0", 8, "A"), Node("a1", 8, "A", foreign=6), Node("b0", 8, "B")
    a, b = frozenset("A"), frozenset("B")
    waited = Ledger(((NOW - 3000, 0, 1),)).record(NOW - 1500, 1, 1)
    mover = running("mover", "a0", gpus=2, tier="Standard", gpu_types=a, since=NOW - 1500, ledger=waited)
    mover = replace(mover, admitted=NOW - 3000)
    useless = running("useless", "b0", gpus=8, tier="Basic", gpu_types=b, since=NOW - 100)
    useful = running("useful", "a1", gpus=2, tier="Basic", gpu_types=a, since=NOW - 100)
    due = waiting("due", 8, NOW - 50, tier="Premium", gpu_types=a, admitted=NOW - 50)
    other = waiting("other", 8, NOW - 4000, tier="Basic", gpu_types=b)
    done = planned([mover, useless, useful, due, other], *nodes)
    assert {action.job for action in done.actions} == {"due", "mover", "useful"}


def test_room_that_others_made_by_moving_goes_to_a_promise_that_had_found_none():
    nodes = {"n1": Node("n1", 4, domains=("r1",)), "n2": Node("n2", 8, domains=("r2",))}
    waited = Ledger(((LONG_AGO, 0, 2),)).record(NOW - 1000, 2, 2)
    mover = running("mover", "n2", "n2", tier="Standard", since=NOW - 1000, ledger=waited, admitted=LONG_AGO)
    due = waiting("due", 4, NOW - 30, tier="Premium", topology=Topology("rack", required=True))
    due = replace(due, workers=2, ledger=Ledger(((NOW - 30, 0, 2),)), admitted=NOW - 30)
    fleet, jobs = Fleet(nodes, ("rack",)), [mover, due, waiting("other", 8, NOW - 2000, tier="Basic")]
    done = plan(fleet, jobs, NOW)
    given = {action.job: action.placement for action in done.actions}
    assert given == {"mover": ("n1", "n1"), "due": ("n2", "n2")}
    assert plan(fleet, applied(jobs, done), NOW).actions == ()


def test_what_jobs_that_are_gone_accepted_limits_no_promise():
    fleet = Fleet({name: Node(name, gpus, name.upper()) for name, gpus in (("a", 8), ("b", 8), ("c", 100))})
    first = Job("first", 1, 8, gpu_types=frozenset("B"), admitted=1.0, submitted=1.0)
    gone = Job("gone", 1, 1, gpu_types=frozenset("AB"), admitted=1.0, submitted=1.0)
    new = Job("new", 1, 4, gpu_types=frozenset("A"), submitted=2.0)
    follower = Follower()
    follower.plan(fleet, [first, gone], NOW)
    assert follower.plan(fleet, [first, new], NOW + 1).admitted == ("new",)


def test_what_would_be_expected_of_a_job_if_it_were_stopped_is_not_taken_for_what_is():
    """Of one that stands still no more is expected ever; this one got its GPUs back in the same plan."""
    planner, job = Planner(), running("j", "n0", tier="Basic")
    planner.put_node(Node("n0", 1))
    planner.put(job)
    rules = Rules()
    then, later = (
        Cycle(planner.space, planner.book, DEFAULT_TIERS, rules, now) for now in (NOW, NOW + 50_000)
    )
    then.expected(stopped(job, NOW, DEFAULT_TIERS))
    assert later.expected(job) == expectation(job, NOW + 50_000, rules)[0]


def test_a_job_that_is_refused_a_promise_is_told_numbers_that_say_why():
    held = running("held", "n0", gpus=2, tier="Standard", admitted=1.0)
    filler = running("filler", "n1", gpus=4, tier="Basic", since=NOW - 10)
    asking = Job("asking", 2, 2, tier="Standard", submitted=NOW, ledger=Ledger(((NOW, 0, 2),)))
    why = planned([held, filler, asking], Node("n0", 4), Node("n1", 4)).waiting["asking"].message
    assert "ask for 2 of at most 5, and it asks for 4" in why
