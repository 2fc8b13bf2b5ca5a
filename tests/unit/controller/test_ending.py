"""Gangs some of whose ranks have finished: they run on as they are, and nothing can cut them."""

from datetime import timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.agent import Exit, Phase
from ergosphere.api.meta import condition, is_true
from ergosphere.controller.acts import CreatePods, NoteCut, acts
from ergosphere.controller.ending import arrived, finished
from ergosphere.controller.fleet import lost, wants_gpus
from ergosphere.controller.lifecycle import advance
from ergosphere.controller.moment import Moment, Next
from ergosphere.scheduling.model import Action, Fleet, Migrate, Node, Preempt

DRAIN = Migrate("u-1", ("n3", "n3"), "NodeCordoned", "")


def half(**spec: object) -> Scene:
    """A gang whose rank 0 has ended with 0, its pod too, while rank 1 trains."""
    scene = Scene().spec(**spec).placed("n1", "n2", ran=True).running().ended(0, 0)
    scene.reports.pop("p1-0")
    return scene


def after(scene: Scene, decision: Action | None = None, later: float = 3600.0) -> Next:
    return advance(Moment(scene.view(), decision, None, NOW + timedelta(seconds=later)))


def why(result: Next, kind: str) -> tuple[str, str]:
    found = condition(result.status.conditions, kind)
    assert found
    return found.reason, found.message


def test_a_rank_has_finished_when_its_agent_or_its_kubelet_says_so() -> None:
    scene = Scene().placed("n1", "n2", "n3", ran=True).running().ended(0, 1)
    scene.report(Phase.EXITED, 2, exit=Exit(code=0))
    assert finished(scene.view()) == (1, 2)
    assert arrived(scene.view())


@pytest.mark.parametrize(
    "scene",
    [
        Scene().placed("n1").running().ended(1),
        Scene().placed("n1").running().ended(0, left="c-1"),
        Scene().placed("n1").running().ended(0, deleting=True),
        Scene().placed("n1").report(Phase.EXITED, exit=Exit(code=1)),
        Scene().placed("n1").report(Phase.EXITED, exit=Exit(code=0), terminating=True),
        Scene().placed("n1").report(Phase.LEFT, exit=Exit(code=0)),
    ],
    ids=["failed", "left", "deleted", "failing", "told to end", "leaving"],
)
def test_a_rank_that_was_ended_or_failed_has_not_finished(scene: Scene) -> None:
    assert finished(scene.view()) == ()


def test_a_gang_some_of_which_have_finished_runs() -> None:
    result = after(half())
    assert result.status.phase == "Running"
    assert is_true(result.status.conditions, "Running")
    text = "rank 0 has ended: the job cannot be cut while others run"
    assert why(result, "Running") == ("SomeRanksEnded", text)


def remembered() -> Scene:
    """The gang of `half`, once it is written down that rank 0 has finished."""
    scene = half()
    scene.status = after(scene).status.to_dict()
    assert scene.status["finishedRanks"] == [0]
    return scene


def test_what_becomes_of_the_pod_of_a_rank_that_has_finished_does_not_matter() -> None:
    for scene in (
        remembered().without_pod(0),
        remembered().pod(0, deleting=True),
        remembered().pod(0, lost=True, phase="Failed", reason="NodeLost"),
    ):
        result = after(scene)
        assert (result.status.phase, result.status.incarnation, result.happenings) == ("Running", 1, ())
        assert not any(isinstance(act, CreatePods) for act in acts(scene.view(), 15, NOW))
        assert after(scene.ended(0, 1)).status.phase == "Succeeded"


def test_the_node_of_a_rank_that_has_finished_may_be_lost() -> None:
    fleet = Fleet({"n2": Node("n2", 4)})
    assert lost(half().view(), fleet) == {"n1"}
    assert lost(remembered().view(), fleet) == frozenset()


@pytest.mark.parametrize("nodes", [{"n2"}, {"n1", "n2"}], ids=["without its node", "with all nodes"])
def test_a_gang_that_has_lost_the_node_of_a_rank_that_has_finished_is_not_planned(nodes: set[str]) -> None:
    assert wants_gpus(remembered().view(), nodes) == ("n1" in nodes)


def test_a_gang_that_has_lost_a_node_that_it_needs_is_planned() -> None:
    assert wants_gpus(remembered().view(), {"n1"})
    assert wants_gpus(remembered().view(), set())
    assert wants_gpus(half().view(), {"n2"})


def test_the_pod_of_a_rank_that_has_finished_is_nobody_s_predecessor() -> None:
    scene = remembered().pod(0, phase="Running")
    assert scene.view().predecessors == ()


@pytest.mark.parametrize(
    "scene",
    [half().pod(0, reason="Evicted"), half().report(Phase.EXITED, 0, exit=Exit(code=0), terminating=True)],
    ids=["by its kubelet's word", "by its agent's"],
)
def test_a_rank_that_its_node_has_ended_has_not_finished(scene: Scene) -> None:
    assert finished(scene.view()) == ()
    result = after(scene)
    assert (result.status.placement, [h.reason for h in result.happenings]) == ([], ["WorkerLost"])


def test_a_job_that_its_node_has_ended_is_not_complete() -> None:
    scene = Scene().placed("n1", ran=True).ended(0, reason="Evicted")
    assert after(scene).status.phase == "Pending"


def test_the_other_rank_is_still_missed() -> None:
    result = after(remembered().without_pod(0).without_pod(1))
    assert (result.status.placement, [h.reason for h in result.happenings]) == ([], ["WorkerLost"])


def test_a_gang_that_is_suspended_leaves_though_nothing_is_left_of_a_rank() -> None:
    assert after(remembered().without_pod(0).spec(suspend=True)).status.phase == "Suspended"


def test_a_gang_that_begins_anew_begins_with_all_ranks() -> None:
    assert after(remembered().without_pod(1)).status.finished_ranks == []


def test_a_gang_that_has_finished_needs_no_such_word() -> None:
    scene = Scene().placed("n1", ran=True).report(Phase.EXITED, exit=Exit(code=0))
    assert why(after(scene, later=1), "Running") == ("AllRanksRun", "")


def test_a_gang_that_is_suspended_after_a_rank_has_finished_leaves_without_a_cut() -> None:
    saved = {"name": "a-1", "time": (NOW + timedelta(seconds=600)).isoformat()}
    scene = half(suspend=True).checkpoint("a-1", "Ready")
    scene.status |= {"lastCheckpoint": saved, "notBefore": (NOW + timedelta(seconds=3650)).isoformat()}
    result = after(scene)
    assert (result.status.placement, result.status.cut, result.status.not_before) == ([], None, None)
    assert result.status.phase == "Suspended"
    assert result.status.lost_seconds == 3000
    (left,) = result.happenings
    assert (left.reason, left.warning) == ("LeftUncut", True)
    assert (
        left.message == "rank 0 has ended, so the job leaves without a cut: it will go on from checkpoint a-1"
    )


def test_a_gang_without_a_checkpoint_is_told_that_it_will_begin_anew() -> None:
    (left,) = after(half(suspend=True)).happenings
    assert left.message.endswith("it will go on from the beginning")


def test_a_gang_that_is_about_to_end_as_a_whole_is_not_suspended_a_moment_before() -> None:
    scene = half(suspend=True)
    assert len(after(scene, later=29).status.placement) == 2
    assert after(scene.ended(0, 1), later=29).status.phase == "Succeeded"
    untold = Scene().spec(suspend=True).placed("n1", "n2", ran=True).running()
    untold.report(Phase.EXITED, 0, exit=Exit(code=0))
    assert len(after(untold).status.placement) == 2


def test_a_node_whose_clock_is_wrong_holds_no_suspension_up() -> None:
    scene = half(suspend=True).pod(0, ended=NOW + timedelta(days=1))
    assert after(scene).status.placement == []


@pytest.mark.parametrize("decision", [DRAIN, Preempt("u-1", "Yielded", "")], ids=["drain", "preemption"])
def test_a_gang_that_is_to_yield_after_a_rank_has_finished_runs_on_and_says_so_now_and_then(
    decision: Action,
) -> None:
    scene = half()
    first = after(scene, decision)
    assert (len(first.status.placement), first.status.cut) == (2, None)
    (told,) = first.happenings
    assert (told.reason, told.warning) == ("ProgramEnded", True)
    assert told.message.startswith("rank 0 has ended, so the job cannot be cut (")
    scene.status = first.status.to_dict()
    assert after(scene, decision, later=3659).happenings == ()
    assert [h.reason for h in after(scene, decision, later=3660).happenings] == ["ProgramEnded"]


def notes(scene: Scene) -> list[bool]:
    """What is to be written down of checkpoints: whether each has failed."""
    return [act.verdict is not None for act in acts(scene.view(), 15, NOW) if isinstance(act, NoteCut)]


def test_a_checkpoint_that_is_asked_for_then_fails_and_is_not_tried_again() -> None:
    scene = half().checkpoint("mine")
    begun = after(scene)
    assert begun.status.cut
    scene.status = begun.status.to_dict()
    assert notes(scene) == [False]
    scene.checkpoints.clear()
    failed = after(scene.checkpoint("mine"))
    assert (failed.status.cut, [h.reason for h in failed.happenings]) == (None, ["ProgramEnded"])
    scene.status = failed.status.to_dict()
    assert after(scene).status.cut is None
    assert notes(scene) == [True]


def test_a_cut_in_whose_middle_a_rank_and_its_agent_have_ended_is_given_up() -> None:
    scene = half().cutting().checkpoint("a-1")
    result = after(scene)
    assert (result.status.cut, len(result.status.placement)) == (None, 2)
    assert [h.reason for h in result.happenings] == ["ProgramEnded"]


def test_a_cut_whose_ranks_can_still_be_told_to_undo_it_is_not_given_up_before() -> None:
    scene = half().cutting().checkpoint("a-1").report(Phase.EXITED, 0, exit=Exit(code=0))
    assert after(scene).status.cut is not None
