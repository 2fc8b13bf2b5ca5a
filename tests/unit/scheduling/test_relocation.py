"""A job moves because its owner asks for it, or it is said why it stays."""

import pytest

from ergosphere.scheduling.model import Fleet, Job, Migrate, Node, Plan, Relocation, State
from ergosphere.scheduling.plan import plan


def planned(*jobs: Job, **nodes: int) -> Plan:
    return plan(Fleet({name: Node(name, gpus) for name, gpus in nodes.items()}), jobs, 0)


def running(*placement: str, to: tuple[str, ...] = (), **fields) -> Job:
    wish = Relocation(frozenset(to))
    return Job("j", len(placement), state=State.RUNNING, placement=placement, relocation=wish, **fields)


def test_a_job_leaves_for_any_other_nodes():
    (move,) = planned(running("a", "a"), a=8, b=2).actions
    assert isinstance(move, Migrate)
    assert (move.placement, move.reason) == (("b", "b"), "MigrationRequested")
    assert move.message == "Leaves a, as its owner asks."


def test_a_job_leaves_for_the_node_that_its_owner_names():
    (move,) = planned(running("a", to=("c",)), a=8, b=1, c=8).actions
    assert move.placement == ("c",)


def test_workers_that_are_on_the_wanted_nodes_already_may_stay_there():
    (move,) = planned(running("a", "b", to=("b", "c")), a=1, b=1, c=1).actions
    assert move.placement == ("b", "c")


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (running("a"), "NoRoomToMigrate"),
        (running("a", to=("full",)), "NoRoomToMigrate"),
        (running("a", to=("a",)), "AlreadyThere"),
        (running("a", to=("z",)), "NoSuchNode"),
        (running("a", to=("b",), allowed=frozenset("a")), "NoRoomToMigrate"),
    ],
)
def test_a_job_that_must_stay_is_told_why(job, reason):
    other = Job("o", 1, state=State.RUNNING, placement=("full",))
    done = planned(job, other, a=1, full=1, b=0)
    assert done.actions == ()
    assert done.waiting["j"].reason == reason


def test_nobody_yields_for_a_move_that_is_only_wished_for():
    other = Job("o", 1, state=State.RUNNING, placement=("b",), tier="Basic")
    assert planned(running("a", tier="Premium"), other, a=1, b=1).actions == ()


@pytest.mark.parametrize("state", [State.STARTING, State.SUSPENDED])
def test_only_a_running_job_is_moved(state):
    job = Job("j", 1, state=state, placement=("a",), relocation=Relocation())
    assert not [a for a in planned(job, a=1, b=1).actions if isinstance(a, Migrate)]


def test_a_job_on_the_move_is_left_alone():
    assert planned(running("b", leaving=("a",)), a=1, b=1).actions == ()
