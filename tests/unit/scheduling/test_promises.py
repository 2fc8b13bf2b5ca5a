"""Who is promised what, who yields to whom, and what is said about it."""

from dataclasses import replace

from tests.unit.scheduling.clusters import applied, running

from ergosphere.scheduling.ledger import Ledger
from ergosphere.scheduling.model import Fleet, Job, Moving, Node, Plan, Preempt, Resize, Start
from ergosphere.scheduling.plan import plan

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
    assert "jobs that were promised GPUs ask for 8 of at most 8" in told.message


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
