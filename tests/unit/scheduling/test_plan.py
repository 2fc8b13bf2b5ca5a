from ergosphere.scheduling.model import (
    DEFAULT_TIERS,
    Fleet,
    Job,
    Migrate,
    Node,
    Preempt,
    Resize,
    Start,
    State,
)
from ergosphere.scheduling.plan import plan


def fleet(*nodes):
    return Fleet({n.name: n for n in nodes})


def test_a_gang_starts_whole_on_the_fewest_nodes():
    done = plan(fleet(Node("a", 4), Node("b", 8)), [Job("j", workers=8)], 0, DEFAULT_TIERS)
    assert [(a.job, a.placement) for a in done.actions] == [("j", ("b",) * 8)]


def test_a_gang_that_does_not_fit_waits_with_a_reason():
    done = plan(fleet(Node("a", 4)), [Job("j", workers=1, gpus_per_worker=8)], 0, DEFAULT_TIERS)
    assert done.actions == ()
    assert "the fleet has no such room even when empty" in done.waiting["j"].message


def test_a_cordoned_node_is_emptied_by_migration():
    job = Job("j", workers=2, state=State.RUNNING, placement=("a", "a"))
    done = plan(fleet(Node("a", 4, cordoned=True), Node("b", 4)), [job], 0, DEFAULT_TIERS)
    assert [type(a) for a in done.actions] == [Migrate]
    assert done.actions[0].placement == ("b", "b")


def test_a_job_on_a_lost_node_restarts_elsewhere():
    job = Job("j", workers=2, state=State.RUNNING, placement=("a", "b"))
    done = plan(fleet(Node("a", 1, ready=False), Node("b", 2)), [job], 0, DEFAULT_TIERS)
    assert [(type(a), a.placement) for a in done.actions] == [(Start, ("b", "b"))]


def test_a_job_on_a_lost_node_waits_when_no_other_has_room():
    job = Job("j", workers=2, state=State.RUNNING, placement=("a", "b"))
    done = plan(fleet(Node("b", 1)), [job], 0, DEFAULT_TIERS)
    assert [(type(a), a.cut) for a in done.actions] == [(Preempt, False)]
    assert "j" in done.waiting


def test_jobs_without_gpus_run_on_any_ready_node():
    done = plan(fleet(Node("a", 0)), [Job("j", workers=3, gpus_per_worker=0)], 0, DEFAULT_TIERS)
    assert done.actions[0].placement == ("a", "a", "a")


def test_a_running_job_whose_owner_changed_the_number_of_workers_is_resized():
    job = Job("j", workers=3, state=State.RUNNING, placement=("a",))
    done = plan(fleet(Node("a", 4)), [job], 0, DEFAULT_TIERS)
    assert [(type(a), a.placement) for a in done.actions] == [(Resize, ("a", "a", "a"))]
    fewer = Job("j", workers=1, state=State.RUNNING, placement=("a", "a"))
    done = plan(fleet(Node("a", 4)), [fewer], 0, DEFAULT_TIERS)
    assert [(type(a), a.placement) for a in done.actions] == [(Resize, ("a",))]


def test_a_running_job_keeps_its_workers_where_there_is_no_room_for_those_it_asks_for_now():
    job = Job("j", workers=8, state=State.RUNNING, placement=("a",))
    assert plan(fleet(Node("a", 4)), [job], 0, DEFAULT_TIERS).actions == ()


def test_an_elastic_job_within_its_bounds_is_not_resized_for_its_asking_alone():
    job = Job("j", workers=3, state=State.RUNNING, placement=("a",) * 4, min_workers=1, max_workers=4)
    assert plan(fleet(Node("a", 4)), [job], 0, DEFAULT_TIERS).actions == ()
