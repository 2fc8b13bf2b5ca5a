"""How a worker's pod is read: what ended it, and by whose doing."""

import json
from datetime import UTC, datetime

import pytest

from ergosphere.api.meta import LABEL_INCARNATION, LABEL_RANK
from ergosphere.controller.worker import WorkerPod, worker_pods


def ended(code: int, message: str = "", reason: str = "Error") -> WorkerPod:
    labels = {LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    terminated = {"exitCode": code, "message": message, "reason": reason}
    terminated["finishedAt"] = "2026-01-01T12:00:00Z"
    containers = [{"name": "main", "state": {"terminated": terminated}}]
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": labels},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Failed", "containerStatuses": containers},
    }
    (worker,) = worker_pods([pod], "main", lambda _: False)
    return worker


def test_the_launchers_word_tells_a_cut_from_an_end() -> None:
    assert ended(0, json.dumps({"left": "c-1"})).left == "c-1"
    assert ended(3, json.dumps({"exit": {"code": 3, "signal": 0}})).left == ""
    assert ended(0, "what the program wrote").left == ""
    assert ended(0, "[" * 4096).left == ""


@pytest.mark.parametrize(("others", "ending"), [([], True), ([{"running": {}}], False)], ids=["alone", "not"])
def test_a_pod_is_about_to_end_when_all_but_our_containers_have(
    others: list[dict[str, object]], ending: bool
) -> None:
    states = [{"terminated": {"exitCode": 0}}, *others]
    containers = [{"name": f"c{number}", "state": state} for number, state in enumerate(states)]
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": {LABEL_RANK: "0", LABEL_INCARNATION: "1"}},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "containerStatuses": containers},
    }
    (worker,) = worker_pods([pod], "c0", lambda _: False)
    assert worker.ending is ending


BEGUN = "2026-01-01T12:00:00Z"


@pytest.mark.parametrize(
    ("agent", "up"),
    [
        ({"state": {"running": {"startedAt": BEGUN}}}, 12),
        ({"state": {"waiting": {"reason": "PodInitializing"}}}, None),
        ({"state": {"running": {"startedAt": BEGUN}}, "restartCount": 3}, 11),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3}, 11),
    ],
    ids=["once", "not yet", "again", "again and again"],
)
def test_when_an_agent_began_is_known(agent: dict[str, object], up: int | None) -> None:
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": {LABEL_RANK: "0", LABEL_INCARNATION: "1"}},
        "spec": {"nodeName": "n1"},
        "status": {
            "startTime": "2026-01-01T11:00:00Z",
            "initContainerStatuses": [{"name": "ergosphere-agent", **agent}],
        },
    }
    (worker,) = worker_pods([pod], "main", lambda _: False)
    assert worker.up == (datetime(2026, 1, 1, up, tzinfo=UTC) if up else None)


def test_when_a_program_ended_is_known() -> None:
    assert ended(3).ended == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_launcher_that_was_killed_is_nothing_that_the_program_did() -> None:
    assert ended(137).reason == "the launcher was killed"


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [(137, '{"exit": {"code": 137, "signal": 9}}', "Error"), (137, "", "OOMKilled"), (64, "", "Error")],
    ids=["the program was killed", "its memory ran out", "the launcher refused its options"],
)
def test_what_the_program_or_its_template_did_counts(code: int, message: str, reason: str) -> None:
    assert ended(code, message, reason).reason == ""


@pytest.mark.parametrize("reason", ["StartError", "ContainerCannotRun"])
def test_a_container_that_never_began_is_the_node_s_failure(reason: str) -> None:
    pod = ended(128, "runc create failed: unable to freeze", reason)
    assert pod.unstarted == f"{reason}: runc create failed: unable to freeze"
    assert pod.reason == "its container could not be started"
    assert ended(128, "", "Error").unstarted == ""


def failed(reason: str = "", how: str = "Error", said: str = "", **containers: int) -> WorkerPod:
    """A pod that failed before its main program began; init containers by name with their exit codes."""
    labels = {LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    first = [
        {
            "name": name.replace("_", "-"),
            "state": {"terminated": {"exitCode": code, "reason": how, "message": said}},
        }
        for name, code in containers.items()
    ]
    waits = [{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}]
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": labels},
        "spec": {"nodeName": "n1"},
        "status": {
            "phase": "Failed",
            "reason": reason,
            "message": "why",
            "initContainerStatuses": first,
            "containerStatuses": waits,
        },
    }
    (worker,) = worker_pods([pod], "main", lambda _: False)
    return worker


def test_an_init_container_of_the_users_that_fails_counts_like_the_program() -> None:
    pod = failed(ergosphere_agent=0, download=3)
    assert (pod.exit and pod.exit.code, pod.reason, pod.unstarted) == (3, "", "")


@pytest.mark.parametrize(
    ("code", "how"), [(137, "Error"), (255, "Error"), (137, "OOMKilled"), (128, "StartError")]
)
def test_so_does_one_that_is_killed_or_whose_command_is_not_there(code: int, how: str) -> None:
    pod = failed(how=how, ergosphere_agent=0, download=code)
    assert (pod.exit and pod.exit.code, pod.reason, pod.unstarted) == (code, "", "")


def test_what_an_init_container_says_is_no_launchers_word() -> None:
    assert failed(said='{"left": "c-1"}', download=3).left == ""


@pytest.mark.parametrize(("code", "how"), [(137, "ContainerStatusUnknown"), (255, "Unknown")])
def test_an_init_container_of_which_its_node_lost_sight_does_not_count(code: int, how: str) -> None:
    assert failed(how=how, download=code).reason == "its node lost sight of an init container"


def test_what_fails_before_the_program_for_no_fault_of_the_users_is_the_nodes_failure() -> None:
    assert (
        failed(ergosphere_probe=1).unstarted == "container ergosphere-probe failed before the program began"
    )
    assert failed("UnexpectedAdmissionError").unstarted == "UnexpectedAdmissionError: why"
    assert failed("OutOfcpu").unstarted == "OutOfcpu: why"
    assert failed("Evicted").unstarted == ""


def disrupted(status: str, reason: str = "TerminationByKubelet") -> dict[str, str]:
    return {"type": "DisruptionTarget", "status": status, "reason": reason}


def stopped(code: int, reason: str, *conditions: dict[str, str]) -> WorkerPod:
    """A pod whose kubelet ended it, and says why."""
    status = {"reason": reason, "message": "why", "conditions": conditions}
    labels = {LABEL_RANK: "0", LABEL_INCARNATION: "1"}
    main = {"name": "main", "state": {"terminated": {"exitCode": code, "reason": "Error"}}}
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": labels},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Failed", "containerStatuses": [main], **status},
    }
    (worker,) = worker_pods([pod], "main", lambda _: False)
    return worker


@pytest.mark.parametrize(
    "conditions", [[], [disrupted("False")], [disrupted("True", "EvictionByEvictionAPI")]]
)
def test_a_pod_that_used_more_disk_than_it_may_was_evicted_by_its_own_fault(
    conditions: list[dict[str, str]],
) -> None:
    pod = stopped(137, "Evicted", *conditions)
    assert (pod.fault, pod.reason, pod.exit and pod.exit.code) == ("Evicted: why", "", 137)


def test_a_pod_that_used_its_own_time_up_has_failed_whatever_its_program_made_of_the_signal() -> None:
    for code, counted in ((143, 143), (0, 137)):
        pod = stopped(code, "DeadlineExceeded")
        assert (pod.fault, pod.reason) == ("DeadlineExceeded: why", "")
        assert pod.exit
        assert pod.exit.code == counted
    before = failed("DeadlineExceeded")
    assert (before.fault, before.exit and before.exit.code) == ("DeadlineExceeded: why", 137)


def test_a_pod_that_its_node_ended_for_other_pods_sake_is_not_at_fault() -> None:
    for reason in ("Evicted", "Preempting", "Terminated"):
        pod = stopped(137, reason, disrupted("True"))
        assert (pod.fault, pod.reason) == ("", reason)


def test_nor_is_one_that_a_node_under_pressure_never_took() -> None:
    pod = {
        "metadata": {"name": "a-1-0", "uid": "p", "labels": {LABEL_RANK: "0", LABEL_INCARNATION: "1"}},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Failed", "reason": "Evicted", "message": "Pod was rejected: low on disk"},
    }
    (worker,) = worker_pods([pod], "main", lambda _: False)
    assert (worker.fault, worker.reason, worker.exit) == ("", "Evicted", None)
