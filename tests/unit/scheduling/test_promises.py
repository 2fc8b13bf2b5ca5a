"""Who is promised what, who yields to whom, and what is said about it."""

from dataclasses import replace

from tests.unit.scheduling.clusters import applied, running

from ergosphere.scheduling import promise
from ergosphere.scheduling.admission import Admission
from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import (
    Fleet,
    Job,
    Moving,
    Node,
    Plan,
    Preempt,
    Resize,
    Start,
    State,
    Tier,
    Topology,
)
from ergosphere.scheduling.plan import plan
from ergosphere.scheduling.rules import Rules

NOW = 100_000.0
HOUR = 3600.0


def fleet(**gpus: int) -> Fleet:
    return Fleet({name: Node(name, count) for name, count in gpus.items()})


def job(name: str, gpus: int = 8, tier: str = "Basic", submitted: float = NOW, **fields: object) -> Job:
    made = Job(name, 1, gpus, tier=tier, submitted=submitted, started=submitted)
    ledger = Ledger(((submitted, 0, 1),))
    return replace(made, ledger=ledger, **fields)  # type: ignore[arg-type]


def runs(made: Job, node: str, since: float) -> Job:
    return running(made, (node,) * made.workers, since)


def kinds(done: Plan) -> dict[str, str]:
    return {action.job: type(action).__name__ for action in done.actions}


def test_a_premium_job_takes_gpus_from_one_without_a_promise_however_short_that_ran() -> None:
    basic = runs(job("basic", submitted=NOW - 60), "a", NOW - 60)
    done = plan(fleet(a=8), [basic, job("premium", tier="Premium")], NOW)
    assert kinds(done) == {"basic": "Preempt", "premium": "Start"}
    yielded, started = done.actions
    assert yielded.reason == "Yielded"
    assert "premium, whose Premium promise of 0.95 would break otherwise" in yielded.message
    assert (started.reason, started.after) == ("PromiseDue", ("basic",))


def test_of_two_that_may_yield_the_lower_tier_does_then_the_one_with_more_surplus() -> None:
    long, short = NOW - HOUR, NOW - 1000
    standard = runs(job("standard", 4, "Standard", long, admitted=long), "a", long)
    much = runs(job("much", 4, submitted=long), "b", long)
    little = runs(job("little", 4, submitted=long), "c", short)
    claim = job("claim", 4, "Premium")
    nodes = fleet(a=4, b=4, c=4)
    assert kinds(plan(nodes, [standard, much, little, claim], NOW)) == {"much": "Preempt", "claim": "Start"}
    assert kinds(plan(fleet(a=4, c=4), [standard, little, claim], NOW))["little"] == "Preempt"


def test_a_job_whose_own_promise_would_break_does_not_yield() -> None:
    young = NOW - 100
    standard = runs(job("standard", 8, "Standard", young - 40, admitted=young - 40), "a", young)
    done = plan(fleet(a=8), [standard, job("premium", 8, "Premium", admitted=NOW)], NOW)
    assert done.actions == ()
    assert "Premium promises 0.95" in done.waiting["premium"].message


def test_elastic_jobs_shrink_before_anyone_is_preempted() -> None:
    stretched = replace(job("elastic", 1, submitted=NOW - HOUR), workers=2, min_workers=1, max_workers=4)
    stretched = running(stretched, ("a",) * 4, NOW - HOUR)
    other = runs(job("other", 4, submitted=NOW - HOUR), "b", NOW - HOUR)
    done = plan(fleet(a=4, b=4), [stretched, other, job("claim", 2, "Premium")], NOW)
    (shrunk, started) = done.actions
    assert isinstance(shrunk, Resize)
    assert len(shrunk.placement) == 2
    assert isinstance(started, Start)


def test_no_more_is_promised_than_the_fleet_can_keep_and_who_has_none_is_told() -> None:
    waiting = [job(f"j{i}", 4, "Standard", NOW - i) for i in range(4)]
    done = plan(fleet(a=8, b=4), waiting, NOW)
    assert len(done.admitted) == 2
    assert len(done.actions) == 3
    (told,) = done.waiting.values()
    assert "Jobs that were promised GPUs ask for 8 of at most 8" in told.message


def test_a_job_that_waits_knows_what_for_where_most_is_free_and_what_it_had() -> None:
    busy = [runs(job("x", 3, "Standard", NOW - 60, admitted=NOW - 60), "n1", NOW - 60)]
    busy += [runs(job("y", 5, "Standard", NOW - 60, admitted=NOW - 60), "n2", NOW - 60)]
    done = plan(fleet(n1=8, n2=8), [*busy, job("z", 8, submitted=NOW - 60)], NOW)
    assert done.waiting["z"].message == (
        "Waits for 8 GPUs on one node; 5 free on n1. Basic promises nothing: it runs when GPUs are idle."
    )


def test_small_jobs_move_together_when_that_lets_a_gang_start_and_is_worth_it() -> None:
    since = NOW - HOUR
    small = [
        runs(job(name, 2, "Standard", since, admitted=since, moving=Moving(0)), node, since)
        for name, node in (("x", "n1"), ("y", "n2"))
    ]
    done = plan(fleet(n1=8, n2=8), [*small, job("gang", 8, submitted=since)], NOW)
    assert sorted(kinds(done).values()) == ["Migrate", "Start"]
    assert {action.reason for action in done.actions} == {"Defragmentation", "Defragmented"}


def test_jobs_move_out_of_the_one_domain_that_a_gang_must_be_in() -> None:
    since = NOW - HOUR
    racks = {"n1": "r1", "n2": "r1", "n3": "r2", "n4": "r2"}
    nodes = {name: Node(name, 4 if name == "n4" else 8, domains=(rack,)) for name, rack in racks.items()}
    small = runs(job("small", 2, "Standard", since, admitted=since), "n1", since)
    gang = job("gang", 8, submitted=since, workers=2, topology=Topology("rack", required=True))
    done = plan(Fleet(nodes, ("rack",)), [small, gang], NOW)
    assert {action.job: action.placement for action in done.actions} == {
        "small": ("n4",),
        "gang": ("n1", "n2"),
    }


def test_a_move_that_costs_more_than_it_gains_is_not_made_and_the_cost_is_told() -> None:
    since = NOW - HOUR
    heavy = Moving(bytes=1 << 42, bytes_per_s=1e8)
    small = [
        runs(job(name, 2, "Standard", since, admitted=since, moving=heavy), node, since)
        for name, node in (("x", "n1"), ("y", "n2"))
    ]
    done = plan(fleet(n1=8, n2=8), [*small, job("gang", 8)], NOW)
    assert done.actions == ()
    assert "; defragmentation would cost " in done.waiting["gang"].message


def test_one_that_ran_long_gives_way_to_a_fresh_one_but_not_back_at_once() -> None:
    old = runs(job("old", submitted=NOW - 50_000), "a", NOW - 50_000)
    jobs = [old, job("fresh")]
    done = plan(fleet(a=8), jobs, NOW)
    assert [(a.job, a.reason) for a in done.actions] == [("old", "TurnOver"), ("fresh", "Turn")]
    after = applied(jobs, done, NOW)
    for later in (NOW + 60, NOW + 590):
        assert plan(fleet(a=8), after, later).actions == ()


def test_a_job_that_was_just_placed_is_not_preempted_for_a_turn() -> None:
    restarted = job("old", submitted=NOW - 50_000)
    restarted = replace(restarted, ledger=Ledger(((NOW - 50_000, 1, 1), (NOW - 900, 0, 1))))
    restarted = runs(restarted, "a", NOW - 300)
    done = plan(fleet(a=8), [restarted, job("fresh")], NOW)
    assert not [action for action in done.actions if isinstance(action, Preempt)]
    assert done.look_again == NOW + 300


def test_a_gang_larger_than_every_node_waits_and_the_others_are_planned_for() -> None:
    done = plan(fleet(a=4, b=4), [job("large", 8), job("small", 4)], NOW)
    assert kinds(done) == {"small": "Start"}
    assert done.waiting["large"].reason == "FleetTooSmall"


def elastic(name: str, since: float, held: int, tier: str = "Premium") -> Job:
    """Asks for 8 workers with a GPU each, goes on with 4, and has run with `held` on node a since then."""
    made = job(name, 1, tier, since, admitted=since, workers=8, min_workers=4, max_workers=8)
    made = replace(made, ledger=Ledger(((since, 0, 8),)))
    return running(made, ("a",) * held, since)


def test_a_job_that_runs_with_too_few_workers_for_its_promise_gets_the_others_from_who_has_none() -> None:
    since = NOW - 2 * HOUR
    other = runs(job("other", 4, submitted=since), "a", since)
    few = elastic("few", since, 4)
    done = plan(fleet(a=8), [few, other], NOW)
    assert kinds(done) == {"other": "Preempt", "few": "Resize"}
    assert [a.reason for a in done.actions] == ["Yielded", "PromiseDue"]
    assert plan(fleet(a=8), applied([few, other], done, NOW), NOW).actions == ()


def test_nobody_is_stopped_for_workers_that_a_promise_does_not_need() -> None:
    since = NOW - 2 * HOUR
    other = runs(job("other", 2, submitted=since), "a", since)
    assert plan(fleet(a=8), [elastic("enough", since, 6, "Standard"), other], NOW).actions == ()


def test_a_promise_made_in_this_plan_is_not_taken_from_for_another() -> None:
    since = NOW - 2 * HOUR
    young = replace(elastic("young", since, 8), admitted=None)
    claim = job("claim", 2, "Standard", since, admitted=since, allowed=frozenset({"a"}))
    done = plan(fleet(a=8, b=8), [young, claim], NOW)
    assert (done.admitted, done.actions) == (("young",), ())


def test_what_a_job_had_long_ago_counts_within_a_long_window_when_somebody_is_to_yield() -> None:
    day = 86_400.0
    tiers = {"Std": Tier("Std", 0.70, 1, window_s=day)}
    waited, ran = NOW - 20 * HOUR, NOW - 14 * HOUR
    made = job("long", 8, "Std", waited, admitted=waited)
    ledger = Ledger(((waited, 0, 1),)).record(ran, 1, 1, day)
    long = replace(made, state=State.RUNNING, placement=("a",), started=ran, ledger=ledger)
    assert promise.surplus(long, NOW, tiers) < 0.001
    assert not promise.endures(long, NOW, tiers, Rules())


def test_who_accepts_several_types_is_reckoned_with_where_somebody_wants_one_of_them() -> None:
    made = Admission({"A": 8, "B": 8, "C": 80}, {"Premium": Tier("Premium", 1.0, 2)})
    made.count(frozenset({"A", "B"}), 16)
    assert made.limit("Premium", frozenset({"A"}), 8) == (16, 16.0)
    assert made.limit("Premium", frozenset({"C"}), 8) is None


def test_a_job_that_the_fleet_can_never_run_is_promised_nothing() -> None:
    nodes = fleet(a=8, b=8, c=8, d=8)
    others = [job(f"s{i}", 8, "Standard", NOW - 10 + i) for i in range(2)]
    done = plan(nodes, [job("huge", 16, "Premium", NOW - 100), *others], NOW)
    assert done.admitted == ("s0", "s1")
    assert done.waiting["huge"].reason == "FleetTooSmall"
    assert "Nothing is promised to it" in done.waiting["huge"].message


def test_a_suspended_job_holds_no_promise_and_asks_for_one_again_when_it_is_resumed() -> None:
    first = job("first", 8, "Premium", NOW - 100, admitted=NOW - 100, state=State.SUSPENDED)
    second = job("second", 8, "Premium", NOW - 50)
    assert plan(fleet(a=8), [first, second], NOW).admitted == ("second",)
