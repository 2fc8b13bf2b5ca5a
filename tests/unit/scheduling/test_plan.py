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
    Topology,
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


def test_a_job_that_finds_no_room_off_a_cordoned_node_stays_and_is_told_what_it_waits_for():
    job = Job("j", workers=2, state=State.RUNNING, placement=("a", "a"), tier="Premium")
    other = Job("o", workers=4, state=State.RUNNING, placement=("b",) * 4, tier="Basic")
    done = plan(fleet(Node("a", 4, cordoned=True), Node("b", 4)), [job, other], 0, DEFAULT_TIERS)
    assert done.actions == ()
    told = done.waiting["j"]
    assert told.reason == "NoRoomToLeave"
    assert told.message == (
        "Is to leave a, which is being emptied, and waits for 2 times 1 GPU, each on one node, elsewhere."
    )


def test_a_job_on_the_move_off_a_cordoned_node_is_not_told_that_it_stays():
    job = Job("j", state=State.RUNNING, placement=("a",), leaving=("b",))
    assert plan(fleet(Node("a", 4, cordoned=True)), [job], 0, DEFAULT_TIERS).waiting == {}


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


def racks(gpus=8, racks=("r0", "r1", "r2", "r3")):
    nodes = {f"n{i}": Node(f"n{i}", gpus, domains=("z", rack)) for i, rack in enumerate(racks)}
    return Fleet(nodes, ("zone", "rack"))


def test_a_gang_that_must_stay_within_a_rack_waits_though_its_zone_has_room():
    gang = Job("j", workers=2, gpus_per_worker=8, topology=Topology("rack", required=True))
    done = plan(racks(), [gang], 0, DEFAULT_TIERS)
    assert done.actions == ()
    assert done.waiting["j"].reason == "FleetTooSmall"
    assert "2 times 8 GPUs, each on one node of one rack" in done.waiting["j"].message
    (start,) = plan(racks(racks=("r0", "r1", "r1", "r2")), [gang], 0, DEFAULT_TIERS).actions
    assert start.placement == ("n1", "n2")


def test_a_gang_without_gpus_stays_within_the_domain_that_it_must_stay_within():
    gang = Job("j", workers=3, gpus_per_worker=0, topology=Topology("rack", required=True))
    (start,) = plan(racks(racks=("r0", "r1", "r1", "r2")), [gang], 0, DEFAULT_TIERS).actions
    assert len(set(start.placement)) == 1


def test_a_running_job_whose_topology_level_is_gone_stays_and_others_start():
    elastic = Job(
        "j", 2, max_workers=4, state=State.RUNNING, placement=("n0",) * 2, topology=Topology("row", True)
    )
    done = plan(racks(racks=("r0",)), [elastic, Job("k")], 10_000, DEFAULT_TIERS)
    assert [(a.job, type(a)) for a in done.actions] == [("k", Start)]


def test_jobs_without_gpus_are_not_moved_for_one_that_needs_gpus():
    running = {"state": State.RUNNING, "tier": "Basic"}
    jobs = [
        Job("a", 4, placement=("n0",) * 4, **running),
        Job("b", 4, placement=("n1",) * 4, **running),
        *(Job(f"light{i}", 1, 0, placement=("n0",), **running) for i in range(20)),
        Job("wide", 1, 8, tier="Basic"),
    ]
    done = plan(racks(racks=("r0", "r1")), jobs, 10_000, DEFAULT_TIERS)
    assert {a.job: type(a) for a in done.actions} == {"a": Migrate, "wide": Start}
