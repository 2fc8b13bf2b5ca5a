"""What counts as a job's failure, and what stays to be read of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.agent import Exit, Phase
from ergosphere.api.meta import condition
from ergosphere.controller.acts import CreatePods, DeletePods, Tell, acts
from ergosphere.controller.conditions import uncreated
from ergosphere.controller.feasible import Feasible
from ergosphere.controller.fleet import job as planned
from ergosphere.controller.lifecycle import advance
from ergosphere.controller.moment import Moment, Next

EVICTED = 'Evicted: Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".'


def after(scene: Scene, later: float = 0.0) -> Next:
    return advance(Moment(scene.view(), None, None, NOW + timedelta(seconds=later)))


def test_a_pod_whose_kubelet_ended_it_for_its_own_doing_is_a_failure_with_backoff() -> None:
    result = after(Scene().placed("n1", ran=True).running().ended(137, fault=EVICTED))
    assert (result.status.failures, result.status.placement) == (1, [])
    assert result.status.not_before == NOW + timedelta(seconds=10)
    (told,) = result.happenings
    assert told.reason == "WorkerFailed"
    assert told.message == f"rank 0 on n1 was ended by its kubelet: {EVICTED}; the job goes on in 10 s"


def refused(*nodes: str) -> Scene:
    """A job none of whose pods the API server creates, since NOW."""
    scene = Scene().placed(*nodes)
    scene.pods, scene.status["conditions"] = [], []
    view = scene.view()
    scene.status = uncreated(view.job, view.job.status, "exceeded quota", NOW).to_dict()
    return scene


def test_a_job_whose_pods_are_refused_for_long_leaves_its_gpus_to_others_and_says_why_meanwhile() -> None:
    scene = refused("n1", "n2")
    assert after(scene, later=59).status.placement
    result = after(scene, later=60)
    assert (result.status.placement, result.status.failures) == ([], 0)
    assert result.status.not_before
    seconds = int((result.status.not_before - NOW).total_seconds()) - 60
    assert 60 <= seconds < 120
    (told,) = result.happenings
    assert (told.reason, told.warning) == ("FailedCreate", True)
    assert told.message == f"exceeded quota; it gives its GPUs back, and is tried again in {seconds} s"
    scene.status = result.status.to_dict()
    assert pods_created(after(scene, later=119)) == ("FailedCreate", "exceeded quota")
    assert pods_created(after(scene, later=60 + seconds)) == ("NotCreated", "")
    assert pods_created(after(scene.spec(suspend=True), later=100)) == ("NotCreated", "")


def test_a_gang_some_of_whose_pods_are_refused_gives_its_gpus_back_too() -> None:
    """Two gangs that each got a part of a quota would else wait for each other for ever."""
    scene = refused("n1", "n2")
    scene.pods = Scene().placed("n1").pods
    assert after(scene, later=59).status.placement
    assert after(scene, later=60).status.placement == []


def test_gangs_that_are_refused_again_and_again_are_tried_ever_later_and_not_all_at_once() -> None:
    waits = {}
    for attempts in (1, 3, 5, 9):
        scene = refused("n1", "n2")
        scene.status |= {"incarnation": 20 + attempts, "ranIncarnation": 20}
        until = after(scene, later=60).status.not_before
        assert until
        waits[attempts] = (until - NOW).total_seconds() - 60
    assert 60 <= waits[1] < 120
    assert 60 <= waits[3] < 120
    assert 160 <= waits[5] < 320
    assert 360 <= waits[9] < 720
    assert len(set(waits.values())) == 4


PULL = "main: ImagePullBackOff: no such image"


@pytest.mark.parametrize(
    ("pod", "reason", "why"),
    [
        ({"phase": "Pending", "stuck": PULL}, "WorkerStuck", f"rank 1 on n2: {PULL}"),
        (
            {"phase": "Pending", "created": NOW},
            "WorkerStuck",
            "rank 1 on n2: pod a-1-1 does not begin; look at its Events",
        ),
        ({"up": NOW}, "WorkerSilent", "rank 1 on n2: the agent of pod a-1-1 does not answer the operator; "),
    ],
    ids=["no image", "no container", "no answer"],
)
def test_a_gang_one_of_whose_workers_cannot_begin_leaves_its_gpus_to_others_after_ten_minutes(
    pod: dict[str, object], reason: str, why: str
) -> None:
    scene = Scene().placed("n1", "n2").report(Phase.WAITING, 0).pod(1, **pod)
    assert after(scene.unreached(1, 599), later=599).status.placement
    result = after(scene.unreached(1, 600), later=600)
    assert (result.status.placement, result.status.failures) == ([], 0)
    assert result.status.not_before
    seconds = int((result.status.not_before - NOW).total_seconds()) - 600
    assert 60 <= seconds < 120
    (told,) = result.happenings
    assert (told.reason, told.warning) == (reason, True)
    assert told.message.startswith(why)
    assert told.message.endswith(f"; it gives its GPUs back, and is tried again in {seconds} s")


def test_a_gang_that_takes_long_to_begin_keeps_them() -> None:
    """Its images are large, and are pulled; or it has much to restore, and was heard since."""
    pulling = Scene().placed("n1").report(Phase.UNKNOWN).pod(0, phase="Pending", created=NOW, up=NOW)
    assert after(pulling, later=3600).status.placement
    restoring = Scene().placed("n1").report(Phase.UNKNOWN).pod(0, up=NOW).unreached(0, 3000)
    assert after(restoring, later=3600).status.placement


def test_so_does_one_that_runs_whatever_becomes_of_its_containers_and_its_agents() -> None:
    scene = Scene().placed("n1", "n2", ran=True).pod(0, up=NOW, stuck=PULL).pod(1, up=NOW)
    assert after(scene.unreached(0, 3000).unreached(1, 3000), later=3600).status.placement


def test_pods_that_are_not_created_yet_are_waited_for() -> None:
    scene = Scene().placed("n1")
    scene.pods, scene.status["conditions"] = [], []
    assert after(scene, later=600).status.placement


def pods_created(found: Next) -> tuple[str, str]:
    said = condition(found.status.conditions, "PodsCreated")
    assert said
    return said.reason, said.message


def test_of_a_gang_one_such_pod_is_blamed_once_the_others_are_known_to_be_there() -> None:
    scene = Scene().placed("n1", "n2", ran=True).running().ended(137, 0, fault=EVICTED)
    assert after(scene, later=1).status.failures == 0
    assert after(scene.answered(1), later=6).status.failures == 1


def deleted(scene: Scene) -> list[str]:
    found = acts(scene.view(), 15, NOW)
    return [pod.name for act in found if isinstance(act, DeletePods) for pod in act.pods]


def failed(*codes: int, incarnation: int = 1) -> Scene:
    """A job that waits for its next start after its program has failed."""
    scene = Scene().placed(*(f"n{rank}" for rank, _ in enumerate(codes)), incarnation=incarnation, ran=True)
    for rank, code in enumerate(codes):
        if code:
            scene.ended(code, rank)
    scene.status = after(scene.answered(1), later=120).status.to_dict()
    assert (scene.status["failures"], scene.status.get("placement", [])) == (1, [])
    return scene


def test_what_a_failed_program_has_printed_can_be_read_while_the_job_waits_and_goes_on() -> None:
    scene = failed(3)
    assert deleted(scene) == []
    assert deleted(scene.placed("n2", incarnation=2)) == []


def test_what_ran_beside_it_goes() -> None:
    assert deleted(failed(3, 0)) == ["a-1-1"]


def test_the_next_failure_takes_its_place() -> None:
    scene = failed(3).placed("n2", incarnation=2, ran=True)
    scene.pods[1] = replace(scene.pods[1], phase="Failed", exit=Exit(code=4), ended=NOW)
    assert deleted(scene) == ["a-1-0"]
    scene.status |= {"placement": []}
    assert deleted(scene) == ["a-1-0"]
    done = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "observedGeneration": 1}
    scene.status["conditions"] = [done | {"lastTransitionTime": NOW.isoformat()}]
    assert deleted(scene) == ["a-1-0"]


@pytest.mark.parametrize("why", [{"reason": "Evicted"}, {"left": "c-1"}, {"deleting": True}, {"exit": None}])
def test_a_pod_that_did_not_fail_by_itself_is_not_kept(why: dict[str, object]) -> None:
    scene = Scene().placed("n1", ran=True).ended(137).pod(**{"grace_seconds": 30, **why})
    assert deleted(scene.placed("n2", incarnation=2)) == ["a-1-0"]


def test_a_failed_pod_holds_nothing_up() -> None:
    scene = failed(3)
    waiting = planned(scene.view(), Feasible([]), (), NOW.timestamp())
    assert (waiting.placement, waiting.leaving) == ((), ())
    scene.placed("n0", incarnation=2).report(Phase.RESTORED)
    assert [type(act) for act in acts(scene.view(), 15, NOW)] == [Tell]
    scene.pods.pop()
    assert [type(act) for act in acts(scene.view(), 15, NOW)] == [CreatePods]


def test_one_that_is_about_to_end_is_left_to_until_another_needs_its_gpus() -> None:
    scene = failed(3)
    scene.pods[0] = replace(scene.pods[0], phase="Running", ending=True)
    assert deleted(scene) == []
    assert deleted(scene.placed("n0", incarnation=2)) == ["a-1-0"]
