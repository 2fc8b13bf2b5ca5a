"""What becomes of a job, scenario by scenario."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.agent import Phase
from ergosphere.api.meta import is_true
from ergosphere.controller.acts import Ask, CreateCheckpoint, CreatePods, DeletePods, NoteUnusable, Tell, acts
from ergosphere.controller.conditions import Waiting
from ergosphere.controller.lifecycle import advance
from ergosphere.controller.moment import Moment
from ergosphere.controller.starting import needs
from ergosphere.scheduling.model import Migrate, Preempt, Resize, Start


def after(scene, decision=None, waiting=None, later=0.0):
    return advance(Moment(scene.view(), decision, waiting, NOW + timedelta(seconds=later)))


def reasons(result):
    return [h.reason for h in result.happenings]


def nodes(status):
    return [p.node for p in status.placement]


def test_a_placed_job_is_a_new_incarnation_from_the_beginning():
    result = after(Scene(), Start("u-1", ("n1",), "Fits", "Starts on n1."))
    assert nodes(result.status) == ["n1"]
    assert result.status.incarnation == 1
    assert result.status.restore_from == ""
    assert reasons(result) == ["Fits", "Placed"]


def test_a_pod_of_no_placed_rank_or_on_another_node_than_its_ranks_is_no_worker():
    scene = Scene().placed("n1", "n2", ran=True).running()
    forged = [
        replace(scene.pods[0], name="x", uid="x", rank=2),
        replace(scene.pods[1], name="y", uid="y", node="n3"),
    ]
    scene.pods += forged
    assert [p.uid for p in scene.view().workers.values()] == ["p1-0", "p1-1"]
    (act,) = [a for a in acts(scene.view(), 15, NOW) if isinstance(a, DeletePods)]
    assert [p.uid for p in act.pods] == ["x", "y"]


def test_a_waiting_job_says_why():
    result = after(Scene(), waiting=Waiting("NoRoom", "Waits for 8 free GPUs."))
    placed = next(c for c in result.status.conditions if c.type == "Placed")
    assert (placed.status, placed.reason, placed.message) == ("False", "NoRoom", "Waits for 8 free GPUs.")
    assert result.status.phase == "Pending"
    assert reasons(result) == ["NoRoom"]


def test_the_same_reason_to_wait_is_told_once():
    scene = Scene()
    scene.status = after(scene, waiting=Waiting("NoRoom", "5 are free.")).status.to_dict()
    again = after(scene, waiting=Waiting("NoRoom", "6 are free."))
    assert again.happenings == ()
    assert "6 are free." in [c.message for c in again.status.conditions]


def test_advancing_twice_changes_nothing():
    scene = Scene().placed("n1", ran=True).running()
    once = after(scene)
    scene.status = once.status.to_dict()
    again = after(scene, later=5)
    assert again.status == scene.view().job.status
    assert again.happenings == ()


def test_a_cordoned_node_begins_a_cut_and_remembers_where_to_go():
    scene = Scene().placed("n1", ran=True).running()
    result = after(scene, Migrate("u-1", ("n2",), "NodeCordoned", "Leaves n1."))
    assert result.status.cut.reason == "Drain"
    assert [p.node for p in result.status.cut.target] == ["n2"]
    assert result.status.cuts == 1
    assert nodes(result.status) == ["n1"]


def test_a_job_whose_agent_is_not_heard_is_not_taken_for_idle():
    scene = Scene().placed("n1", ran=True)
    result = after(scene, Preempt("u-1", "Suspended", ""))
    assert nodes(result.status) == ["n1"]


def test_a_job_whose_agent_is_new_to_it_is_not_taken_for_idle():
    scene = Scene().placed("n1", ran=True).report(Phase.UNKNOWN)
    result = after(scene, Preempt("u-1", "Suspended", ""))
    assert nodes(result.status) == ["n1"]


def test_a_job_that_has_not_begun_leaves_without_a_cut():
    scene = Scene().spec(suspend=True).placed("n1").report(Phase.WAITING)
    result = after(scene)
    assert nodes(result.status) == []


def test_a_job_that_left_goes_on_at_its_target_from_the_cut():
    scene = Scene().placed("n1", ran=True).cutting(target=[{"rank": 0, "node": "n2"}])
    scene.checkpoint("a-1", "Ready").report(Phase.LEFT)
    result = after(scene)
    assert nodes(result.status) == ["n2"]
    assert result.status.incarnation == 2
    assert result.status.restore_from == "ns/a/c-1"
    assert result.status.cut is None
    assert result.status.last_checkpoint.name == "a-1"


def test_a_job_that_left_is_known_by_its_pod_when_the_agent_is_gone():
    scene = Scene().spec(suspend=True).placed("n1", ran=True).cutting(reason="Suspend")
    scene.checkpoint("a-1", "Ready").ended(0, left="c-1")
    result = after(scene)
    assert nodes(result.status) == []
    assert is_true(result.status.conditions, "Suspended")
    assert not is_true(result.status.conditions, "Complete")


def test_a_gang_is_not_called_gone_while_one_rank_is_there():
    scene = Scene().placed("n1", "n2", ran=True).cutting().checkpoint("a-1", "Ready")
    scene.report(Phase.LEFT, 0).report(Phase.FROZEN, 1)
    assert nodes(after(scene).status) == ["n1", "n2"]


def test_a_rank_whose_pod_ends_first_after_the_cut_is_not_lost():
    scene = Scene().placed("n1", "n2", ran=True).cutting().checkpoint("a-1", "Ready")
    scene.ended(0, 0, left="c-1").report(Phase.FROZEN, 1)
    assert nodes(after(scene).status) == ["n1", "n2"]
    assert nodes(after(scene.report(Phase.RUNNING, 1)).status) == []


def test_a_failed_cut_leaves_the_job_running_and_is_tried_again_later():
    scene = Scene().placed("n1", ran=True).running().cutting().checkpoint("a-1", "Failed")
    result = after(scene)
    assert result.status.cut is None
    assert nodes(result.status) == ["n1"]
    assert result.status.not_before > NOW
    scene.status = result.status.to_dict()
    migrate = Migrate("u-1", ("n2",), "NodeCordoned", "")
    assert after(scene, migrate, later=1).status.cut is None
    assert after(scene, migrate, later=61).status.cut is not None


def test_a_job_that_ran_on_after_its_recorded_cut_is_not_moved_by_it():
    scene = Scene().placed("n1", ran=True).running().cutting().checkpoint("a-1", "Ready")
    result = after(scene)
    assert nodes(result.status) == ["n1"]
    assert result.status.cut is None
    assert reasons(result) == ["LeaseExpired"]


def test_all_ranks_ending_with_zero_completes_the_job():
    scene = Scene().placed("n1", "n2", ran=True).ended(0, 0).ended(0, 1)
    result = after(scene)
    assert is_true(result.status.conditions, "Complete")
    assert result.status.phase == "Succeeded"


def test_one_rank_ending_with_zero_does_not():
    scene = Scene().placed("n1", "n2", ran=True).running().ended(0, 0)
    assert not is_true(after(scene).status.conditions, "Complete")


def test_a_failing_program_is_tried_again_after_a_while_until_the_limit():
    scene = Scene().spec(backoffLimit=1).placed("n1", ran=True).ended(3)
    once = after(scene)
    assert once.status.failures == 1
    assert nodes(once.status) == []
    assert once.status.not_before == NOW + timedelta(seconds=10)
    scene.status["failures"] = 1
    twice = after(scene)
    assert is_true(twice.status.conditions, "Failed")
    assert twice.status.failures == 2
    assert "exit code 3" in next(c for c in twice.status.conditions if c.type == "Failed").message


@pytest.mark.parametrize(
    "lose",
    [
        lambda s: s.without_pod(),
        lambda s: s.ended(143, deleting=True),
        lambda s: s.pod(phase="Failed", reason="Evicted"),
    ],
)
def test_a_lost_pod_is_not_the_programs_failure(lose):
    result = after(lose(Scene().placed("n1", ran=True).running()))
    assert result.status.failures == 0
    assert nodes(result.status) == []
    assert reasons(result) == ["WorkerLost"]


def test_pods_that_were_never_created_are_not_lost():
    scene = Scene().placed("n1").without_pod()
    scene.status["conditions"] = []
    assert nodes(after(scene).status) == ["n1"]


def test_the_deadline_ends_the_job():
    scene = Scene().spec(activeDeadlineSeconds=60).placed("n1", ran=True, startTime=NOW.isoformat()).running()
    assert not is_true(after(scene, later=59).status.conditions, "Failed")
    failed = after(scene, later=60)
    assert is_true(failed.status.conditions, "Failed")
    assert reasons(failed) == ["DeadlineExceeded"]


def test_a_node_that_cannot_restore_is_left_out_of_the_next_placement():
    scene = Scene().placed("n1").failed_agent("IncompatibleNode")
    result = after(scene)
    assert result.status.unfit_nodes == ["n1"]
    assert nodes(result.status) == []


def test_a_corrupt_checkpoint_is_marked_before_another_is_tried():
    scene = (
        Scene()
        .placed("n1", restoreFrom="ns/a/c-1")
        .checkpoint("a-1", "Ready")
        .failed_agent("CheckpointCorrupt")
    )
    view = scene.view()
    assert nodes(after(scene).status) == ["n1"]
    assert [type(a).__name__ for a in acts(view, 15, NOW)] == ["NoteUnusable"]


def test_an_evicted_pod_is_cut_at_once_even_after_a_failed_cut():
    scene = Scene().placed("n1", ran=True, notBefore=(NOW + timedelta(seconds=50)).isoformat()).running()
    result = after(scene.pod(deleting=True))
    assert result.status.cut.reason == "Eviction"


def test_a_requested_checkpoint_keeps_the_job_running():
    scene = Scene().placed("n1", ran=True).running().checkpoint("mine")
    result = after(scene)
    assert (result.status.cut.name, result.status.cut.purpose) == ("mine", "Keep")
    assert result.status.cuts == 0


def test_the_interval_begins_a_cut_when_it_has_passed():
    scene = Scene().spec(checkpoint={"intervalSeconds": 30}).placed("n1", ran=True).running()
    assert after(scene, later=29).status.cut is None
    assert after(scene, later=30).status.cut.reason == "Interval"


def test_the_interval_is_counted_from_when_the_job_runs():
    scene = Scene().spec(checkpoint={"intervalSeconds": 30}).placed("n1", ran=True).running()
    scene.status = after(scene, later=20).status.to_dict()
    assert after(scene, later=49).status.cut is None
    assert after(scene, later=50).status.cut.reason == "Interval"


def test_a_job_that_is_saved_slowly_runs_as_long_as_that_takes():
    scene = Scene().spec(checkpoint={"intervalSeconds": 5}).placed("n1", ran=True).running()
    scene.checkpoint("a-1", "Ready")
    cut, placed = ((NOW - timedelta(seconds=age)).isoformat() for age in (20, 60))
    scene.status |= {"lastCheckpoint": {"name": "a-1", "time": cut}, "placedTime": placed}
    assert after(scene, later=19).status.cut is None
    assert after(scene, later=20).status.cut.reason == "Interval"


def test_a_placed_job_gets_its_pods_and_a_cut_its_checkpoint():
    scene = Scene().placed("n1", "n2").without_pod(1)
    (create,) = acts(scene.view(), 15, NOW)
    assert isinstance(create, CreatePods)
    assert [(w.rank, w.node) for w in create.workers] == [(1, "n2")]
    cutting = Scene().placed("n1", ran=True).running().cutting()
    assert CreateCheckpoint("a-1", "Drain") in acts(cutting.view(), 15, NOW)


def test_a_worker_is_not_created_on_a_node_that_its_predecessor_still_occupies():
    scene = Scene().placed("n1", "n2", incarnation=1, ran=True).placed("n1", "n3", incarnation=2)
    scene.pods = [p for p in scene.pods if p.incarnation == 1]

    def created():
        made = [a for a in acts(scene.view(), 15, NOW) if isinstance(a, CreatePods)]
        return [w.node for a in made for w in a.workers]

    assert created() == ["n3"]
    scene.pod(0, phase="Succeeded")
    assert created() == ["n1", "n3"]


def test_a_gang_goes_on_only_when_every_rank_is_restored():
    scene = Scene().placed("n1", "n2").report(Phase.RESTORED, 0).report(Phase.FETCHING, 1)
    assert acts(scene.view(), 15, NOW) == ()
    scene.report(Phase.RESTORED, 1)
    told = acts(scene.view(), 15, NOW)
    assert [(t.pod.rank, t.command.kind) for t in told if isinstance(t, Tell)] == [(0, "Go"), (1, "Go")]


def test_pods_of_an_earlier_incarnation_are_deleted():
    scene = Scene().placed("n1", incarnation=1, ran=True).placed("n2", incarnation=2)
    (delete,) = [a for a in acts(scene.view(), 15, NOW) if isinstance(a, DeletePods)]
    assert ([pod.name for pod in delete.pods], delete.at_once) == (["a-1-0"], True)


def test_the_pods_of_a_job_that_has_ended_are_kept_but_for_those_that_would_not_end():
    scene = Scene().placed("n1", "n2", "n3", ran=True).ended(0, 0).pod(1, ending=True)
    done = {"type": "Complete", "status": "True", "reason": "Completed", "observedGeneration": 1}
    scene.status |= {"placement": [], "conditions": [done | {"lastTransitionTime": NOW.isoformat()}]}
    (delete,) = [a for a in acts(scene.view(), 15, NOW) if isinstance(a, DeletePods)]
    assert [pod.name for pod in delete.pods] == ["a-1-2"]


def unrestored(attempt: int, *checkpoints: str) -> Scene:
    """A job that could not be restored from the last of its checkpoints, for the n-th time in a row."""
    last = f"c-{len(checkpoints)}"
    scene = Scene().placed("n1", restoreFrom=f"ns/a/{last}", restoreFailures=attempt - 1)
    for number, name in enumerate(checkpoints, 1):
        scene.checkpoint(name, "Ready", uid=f"c-{number}")
    return scene.failed_agent("FileMissing")


def test_what_cannot_be_restored_is_tried_ever_later():
    waits = []
    for attempt in (1, 2, 3, 9):
        result = after(unrestored(attempt, "a-1"))
        assert (result.status.placement, result.status.failures) == ([], 0)
        assert result.status.restore_failures == attempt
        waits.append((result.status.not_before - NOW).total_seconds())
    assert waits == [10, 20, 40, 360]


def test_after_three_attempts_the_checkpoint_before_is_next():
    assert not [a for a in acts(unrestored(2, "a-1", "a-2").view(), 15, NOW) if isinstance(a, NoteUnusable)]
    (note,) = [a for a in acts(unrestored(3, "a-1", "a-2").view(), 15, NOW) if isinstance(a, NoteUnusable)]
    assert (note.checkpoint.name, note.failure.reason) == ("a-2", "FileMissing")
    assert after(unrestored(3, "a-1", "a-2")).status.placement


def test_old_checkpoints_go_and_those_that_are_needed_stay():
    scene = Scene().spec(checkpoint={"keep": 1}).placed("n1", ran=True, restoreFrom="ns/a/c-2").running()
    for number in range(4):
        scene.checkpoint(f"a-{number}", "Ready", uid=f"c-{number}", reason="Interval")
    scene.checkpoint("mine", "Ready", uid="c-9")
    gone = [a.name for a in acts(scene.view(), 15, NOW) if type(a).__name__ == "DeleteCheckpoint"]
    assert gone == ["a-0", "a-1"]


def test_a_job_that_is_being_cut_is_told_where_to_go_and_not_started_twice():
    scene = Scene().placed("n1", ran=True).running().cutting(reason="Eviction").checkpoint("a-1")
    result = after(scene, Start("u-1", ("n2",), "Fits", ""))
    assert nodes(result.status) == ["n1"]
    assert [p.node for p in result.status.cut.target] == ["n2"]
    assert result.status.incarnation == 1


def test_a_placed_job_is_not_placed_again():
    scene = Scene().placed("n1", ran=True).running()
    assert after(scene, Start("u-1", ("n2",), "Fits", "")).status.incarnation == 1


def test_a_lost_node_ends_the_incarnation_even_in_the_middle_of_a_cut():
    scene = Scene().placed("n1", "n2", ran=True).running().cutting().checkpoint("a-1")
    result = advance(Moment(scene.view(), None, None, NOW, frozenset({"n2"})))
    assert nodes(result.status) == []
    assert result.status.cut is None
    assert "n2 is lost" in result.happenings[0].message


def test_a_job_does_not_take_the_checkpoint_of_a_deleted_namesake_for_its_own():
    scene = Scene().placed("n1", ran=True).running()
    drained = after(scene, Migrate("u-1", ("n2",), "NodeCordoned", ""))
    scene.body["metadata"]["uid"] = "v-2"
    namesake = after(scene, Migrate("v-2", ("n2",), "NodeCordoned", ""))
    assert drained.status.cut.name != namesake.status.cut.name


def test_a_cut_that_the_operator_let_expire_is_tried_again_at_once():
    scene = (
        Scene().placed("n1", ran=True).running().cutting().checkpoint("a-1", "Failed", because="LeaseExpired")
    )
    result = after(scene)
    assert result.status.cut is None
    assert result.status.not_before is None


def migrated(result):
    return next((c for c in result.status.conditions if c.type == "Migrated"), None)


def test_a_wish_to_move_is_fulfilled_by_a_later_incarnation():
    scene = Scene().placed("n2", incarnation=2, ran=True).running().spec(migration={"incarnation": 1})
    condition = migrated(after(scene))
    assert condition
    assert (condition.status, condition.reason) == ("True", "Moved")


def test_a_wish_to_move_that_has_to_wait_is_told_once_and_does_not_stop_the_job():
    scene = Scene().placed("n1", ran=True).running().spec(migration={"incarnation": 1})
    waiting = Waiting("NoRoomToMigrate", "Is to move, and waits.")
    first = after(scene, waiting=waiting)
    assert (first.status.phase, reasons(first)) == ("Running", ["NoRoomToMigrate"])
    condition = migrated(first)
    assert condition
    assert (condition.status, condition.message) == ("False", "Is to move, and waits.")
    scene.status = first.status.to_dict()
    assert after(scene, waiting=waiting).happenings == ()


def test_a_wish_that_is_taken_back_leaves_no_trace():
    scene = Scene().placed("n1", ran=True).running().spec(migration={"incarnation": 1})
    scene.status = after(scene).status.to_dict()
    assert migrated(after(scene.spec(migration=None))) is None


def test_a_cut_that_the_planner_wants_says_why():
    scene = Scene().placed("n1", ran=True).running()
    decision = Migrate("u-1", ("n2",), "MigrationRequested", "Leaves n1, as its owner asks.")
    (happening,) = after(scene, decision).happenings
    assert happening.message.endswith("(Migration): Leaves n1, as its owner asks.")


def test_a_job_is_resized_by_a_cut_and_goes_on_with_the_other_number_of_workers():
    scene = Scene().placed("n1", "n1", ran=True).running()
    result = after(scene, Resize("u-1", ("n1", "n2", "n2"), "IdleGPUs", "Grows."))
    assert (result.status.cut.reason, result.status.cut.purpose) == ("Resize", "Leave")
    target = [p.model_dump() for p in result.status.cut.target]
    scene.cutting(reason="Resize", target=target).checkpoint("a-1", "Ready")
    scene.report(Phase.LEFT, 0).report(Phase.LEFT, 1)
    left = after(scene)
    assert nodes(left.status) == ["n1", "n2", "n2"]
    scene.status = left.status.to_dict()
    scene.ended(0, 0, left="c-1").ended(0, 1, left="c-1")
    (create,) = [a for a in acts(scene.view(), 15, NOW) if isinstance(a, CreatePods)]
    assert [(w.rank, w.world) for w in create.workers] == [(0, 3), (1, 3), (2, 3)]


def test_a_resize_off_a_cordoned_node_is_a_drain():
    scene = Scene().placed("n1", "n1", ran=True).running()
    result = after(scene, Resize("u-1", ("n2",), "NodeCordoned", "Leaves n1."))
    assert result.status.cut.reason == "Drain"


@pytest.mark.parametrize(
    "lose",
    [
        lambda s: s.without_pod(0),
        lambda s: s.pod(0, deleting=True),
        lambda s: s.pod(0, phase="Failed", reason="Evicted"),
        lambda s: s.pod(0, lost=True),
    ],
    ids=["gone", "being deleted", "evicted", "on a lost node"],
)
def test_a_worker_that_fails_because_another_was_taken_away_is_not_counted(lose):
    scene = Scene().placed("n1", "n2", ran=True).running()
    scene.status = after(scene).status.to_dict()
    result = after(lose(scene.ended(1, rank=1)))
    assert result.status.failures == 0
    assert nodes(result.status) == []
    assert reasons(result) == ["WorkerLost"]


def test_whose_fault_a_gang_s_failure_was_is_judged_when_the_end_of_a_peer_would_be_known():
    scene = Scene().placed("n1", "n2", ran=True).running()
    scene.status = after(scene).status.to_dict()
    scene.ended(1, rank=1).answered(0)
    early = after(scene, later=4)
    assert (early.status.failures, nodes(early.status), early.happenings) == (0, ["n1", "n2"], ())
    alone = after(scene, later=5)
    assert (alone.status.failures, reasons(alone)) == (1, ["WorkerFailed"])
    bereaved = after(scene.pod(0, phase="Failed", reason="the launcher was killed"), later=4)
    assert (bereaved.status.failures, reasons(bereaved)) == (0, ["WorkerLost"])


@pytest.mark.parametrize("skew", [-600, 600])
def test_a_node_whose_clock_is_wrong_holds_no_judgement_up(skew):
    scene = Scene().placed("n1", "n2", ran=True).running()
    scene.status = after(scene).status.to_dict()
    judged = after(scene.ended(1, rank=1, ended=NOW + timedelta(seconds=skew)))
    assert judged.status.failures == 1


def test_the_failure_of_a_job_with_one_worker_is_judged_at_once():
    scene = Scene().placed("n1", ran=True).running().ended(1)
    assert after(scene).status.failures == 1


def asked(scene):
    return [act.pod.rank for act in acts(scene.view(), 15, NOW) if isinstance(act, Ask)]


def test_a_worker_that_fails_while_the_others_are_there_is_counted_once_they_have_said_so():
    scene = Scene().placed("n1", "n2", "n3", ran=True).running().ended(1, rank=1)
    scene.status = after(scene).status.to_dict()
    assert (nodes(scene.view().job.status), asked(scene)) == (["n1", "n2", "n3"], [0, 2])
    assert nodes(after(scene.answered(0)).status) == ["n1", "n2", "n3"]
    counted = after(scene.answered(2), later=5)
    assert (counted.status.failures, nodes(counted.status), reasons(counted)) == (1, [], ["WorkerFailed"])


def test_a_worker_that_fails_before_the_loss_of_another_is_known_is_not_counted():
    scene = Scene().placed("n1", "n2", ran=True).running().ended(1, rank=1)
    undecided = after(scene, later=30)
    assert (nodes(undecided.status), undecided.happenings) == (["n1", "n2"], ())
    lost = after(scene.pod(0, lost=True), later=40)
    assert (lost.status.failures, reasons(lost)) == (0, ["WorkerLost"])


def test_a_worker_that_fails_beside_one_that_is_silent_and_not_lost_is_counted_in_the_end():
    scene = Scene().placed("n1", "n2", ran=True).running().ended(1, rank=1)
    assert after(scene, later=59).status.failures == 0
    assert after(scene, later=60).status.failures == 1


def test_workers_that_fail_together_need_no_other_witness_and_the_first_is_named():
    scene = Scene().placed("n1", "n2", ran=True).running()
    scene.ended(1, rank=0, ended=NOW + timedelta(seconds=1)).ended(3, rank=1)
    assert asked(scene) == []
    result = after(scene, later=5)
    assert result.status.failures == 1
    assert "rank 1 on n2 ended with exit code 3" in result.happenings[0].message


def test_nobody_is_asked_while_all_is_well():
    assert asked(Scene().placed("n1", "n2", ran=True).running().ended(0, rank=1)) == []


def test_a_program_that_ends_with_zero_because_its_pod_was_deleted_is_not_done():
    scene = Scene().placed("n1", ran=True).ended(0, deleting=True)
    result = after(scene)
    assert not is_true(result.status.conditions, "Complete")
    assert reasons(result) == ["WorkerLost"]
    assert nodes(result.status) == []


def test_a_gang_that_saves_its_own_state_comes_back_to_where_it_is():
    checkpoint = {"mode": "Cooperative", "cooperative": {"directory": "/state"}}
    scene = Scene().spec(checkpoint=checkpoint).placed("n1", "n2", ran=True).running().checkpoint("mine")
    cut = after(scene).status.cut
    assert (cut.reason, cut.purpose, [p.node for p in cut.target]) == ("Requested", "Leave", ["n1", "n2"])
    single = Scene().spec(checkpoint=checkpoint).placed("n1", ran=True).running().checkpoint("mine")
    assert after(single).status.cut.purpose == "Keep"


def test_a_checkpoint_at_an_interval_that_failed_is_not_tried_again_at_once():
    scene = Scene().spec(checkpoint={"intervalSeconds": 30}).placed("n1", ran=True).running()
    scene.cutting(purpose="Keep", reason="Interval").checkpoint("a-1", "Failed")
    scene.status = after(scene, later=31).status.to_dict()
    assert after(scene, later=32).status.cut is None
    assert after(scene, later=92).status.cut.reason == "Interval"


def test_the_work_that_a_loss_undoes_is_counted_from_the_last_checkpoint_and_added_up():
    scene = Scene().placed("n1", ran=True, lostSeconds=2.5).running().without_pod()
    assert after(scene, later=40).status.lost_seconds == 42.5
    saved = {"name": "a-1", "time": (NOW + timedelta(seconds=30)).isoformat()}
    scene.status["lastCheckpoint"] = saved
    assert after(scene, later=40).status.lost_seconds == 12.5


def test_a_gang_that_ended_for_a_cut_that_failed_goes_on_at_once_from_its_last_checkpoint():
    scene = Scene().placed("n1", "n2", ran=True).cutting().checkpoint("a-1", "Failed", because="NotSaved")
    scene.ended(0, 0, left="c-1").ended(0, 1, left="c-1")
    failed = after(scene)
    assert reasons(failed) == ["NotSaved"]
    scene.status = failed.status.to_dict()
    lost = after(scene)
    assert "rank 0 on n1 was ended: it had saved for a cut that failed" in lost.happenings[0].message
    assert (nodes(lost.status), lost.status.not_before, lost.status.failures) == ([], None, 0)


def test_a_node_whose_scheduler_refuses_the_worker_for_a_while_is_left_out_of_the_next_placement():
    later = NOW + timedelta(seconds=30)
    scene = Scene().placed("n1").pod(0, node="", created=later, unschedulable="Insufficient memory")
    assert nodes(after(scene, later=44).status) == ["n1"]
    refused = after(scene, later=45)
    assert (nodes(refused.status), refused.status.unfit_nodes) == ([], ["n1"])
    assert "n1 cannot take the job: Insufficient memory" in refused.happenings[0].message


def test_a_node_whose_runtime_cannot_start_a_worker_is_left_out_and_no_failure_is_counted():
    scene = Scene().placed("n1", "n2", restoreFrom="ns/a/c-1").checkpoint("a-1", "Ready")
    scene.report(Phase.RESTORED, 0).ended(128, 1, unstarted="StartError: frozen", reason="unstarted")
    result = after(scene)
    assert (nodes(result.status), result.status.unfit_nodes, result.status.failures) == ([], ["n2"], 0)
    assert "n2 cannot take the job: StartError: frozen" in result.happenings[0].message


def test_a_suspended_job_holds_no_promise() -> None:
    admitted = {"admittedTime": NOW.isoformat()}
    scene = Scene().placed("n1", ran=True, **admitted).running()
    assert after(scene).status.admitted_time == NOW
    assert after(scene.spec(suspend=True)).status.admitted_time is None


def test_of_many_nodes_that_could_not_take_the_job_the_latest_are_remembered() -> None:
    unfit = [f"n{number}" for number in range(256)]
    result = after(Scene().placed("new", unfitNodes=unfit).failed_agent("IncompatibleNode"))
    assert result.status.unfit_nodes == [*unfit[1:], "new"]


def test_a_job_that_has_saved_nothing_yet_needs_the_checkpoint_it_was_started_from_as_long_as_it_runs() -> (
    None
):
    (made,) = Scene("other").checkpoint("origin", "Ready", "c-0").checkpoints
    origin = made.model_copy(update={"status": made.status.model_copy(update={"job_uid": "u-0"})})
    scene = Scene().spec(restoreFrom={"name": "origin"}).placed("n1", ran=True, restoreFrom="ns/a/c-0")
    scene.checkpoints.append(origin)
    assert needs(scene.running().view(), origin)
    scene.checkpoint("own", "Ready")
    assert not needs(scene.view(), origin)


def test_a_worker_that_does_not_start_is_told_of_once() -> None:
    why = "main: ImagePullBackOff: no such image"
    result = after(Scene().placed("n1").pod(0, phase="Pending", stuck=why))
    (event,) = result.happenings
    assert (event.reason, event.message) == ("WorkerStuck", f"rank 0 on n1: {why}")
    known = [c.model_dump(mode="json", by_alias=True) for c in result.status.conditions]
    again = Scene().placed("n1").pod(0, phase="Pending", stuck=why)
    again.status["conditions"] = known
    assert after(again).happenings == ()


def test_nor_is_one_whose_agent_cannot_be_reached_told_of_more_than_once() -> None:
    scene = Scene().placed("n1").pod(0, up=NOW - timedelta(hours=1)).unreached(0, 60)
    result = after(scene)
    assert [(event.reason, event.warning) for event in result.happenings] == [("WorkerSilent", True)]
    scene.status = result.status.to_dict()
    assert after(scene.unreached(0, 120), later=60).status == scene.view().job.status
    scene.waits.clear()
    assert after(scene).happenings == ()
