"""Programs that are frozen before they are dumped, as those of a gang are."""

import time

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pods import Job, Pods
from tests.integration.launcher.test_limits import CALL, OBSTACLES
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted
from tests.integration.launcher.test_ready import await_no_checkpointer


def state(job: Job) -> tuple[str, str]:
    found = job.agent.call("status")
    return found["state"], found["cut"]


def assert_still(job: Job) -> None:
    before = len(job.lines())
    time.sleep(0.3)
    assert len(job.lines()) == before


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_a_program_is_frozen_and_dumped_later(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(COUNT, options=options)
    job.await_lines(20)
    job.prepare()
    stopped = job.freeze()
    assert stopped["freezeMs"] > 0
    assert state(job) == ("Frozen", "cut-1")
    assert_still(job)
    assert job.freeze()["freezeMs"] == stopped["freezeMs"]
    dumped = job.dump()
    assert dumped["freezeMs"] == stopped["freezeMs"]
    assert job.agent.dump(job.cut)["dumpMs"] == dumped["dumpMs"]
    job.leave()
    job.arrive()
    job.agent.call("thaw")
    assert_counted(job.await_lines(20))


def test_it_needs_no_announcement(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.freeze()
    job.move()
    assert_counted(job.await_lines(20))


def test_a_frozen_program_that_is_thawed_runs_on_and_can_be_cut_again(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.freeze()
    job.agent.call("thaw", cut="cut-1")
    assert state(job) == ("Running", "")
    await_no_checkpointer(job)
    job.await_lines(20)
    job.move()
    assert_counted(job.await_lines(20))


def test_a_frozen_program_runs_on_when_its_lease_ends(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.freeze(lease=0.3)
    assert job.agent.event("thawed")["cut"] == "cut-1"
    assert_counted(job.await_lines(20))


def test_a_frozen_program_cannot_leave_before_it_is_dumped(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.freeze()
    with pytest.raises(Refused, match="image has not been written"):
        job.agent.call("leave", cut="cut-1")
    with pytest.raises(Refused, match="Frozen"):
        job.agent.dump("other")
    job.move()
    assert_counted(job.await_lines(20))


def test_a_frozen_program_that_cannot_be_dumped_runs_on(pods: Pods) -> None:
    job = pods.python(CALL + OBSTACLES["IoUring"] + "\n" + COUNT)
    job.await_lines(20)
    job.freeze()
    with pytest.raises(Refused) as refused:
        job.dump()
    assert refused.value.reason == "IoUring"
    assert state(job) == ("Running", "")
    assert_counted(job.await_lines(20))


def test_a_frozen_program_that_is_killed_ends_its_pod(pods: Pods) -> None:
    job = pods.python("import os\nprint(os.getpid(), flush=True)\nwhile True: pass")
    job.await_lines(1)
    job.freeze()
    job.agent.call("signal", signal=9)
    assert job.pod.wait() == 137
