"""Cuts that were announced: CRIU is ready before the program is frozen."""

import signal
import time

import pytest
from tests.integration.launcher.agent import PATIENCE, Refused
from tests.integration.launcher.pods import Job, Pods
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted


def checkpointers(job: Job) -> int:
    """How many processes of CRIU are in the pod."""
    names = job.pod.exec("sh", "-c", "cat /proc/[0-9]*/comm").stdout.split()
    return names.count("criu")


def await_no_checkpointer(job: Job) -> None:
    deadline = time.monotonic() + PATIENCE
    while checkpointers(job):
        assert time.monotonic() < deadline, "CRIU does not end"
        time.sleep(0.01)


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_the_program_runs_until_it_is_dumped(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(COUNT, options=options)
    for _ in range(3):
        job.await_lines(20)
        job.prepare()
        assert checkpointers(job) == 1
        job.await_lines(50)
        job.move()
    assert_counted(job.await_lines(20))


def test_what_was_made_ready_goes_when_the_lease_ends_and_the_cut_can_still_be_made(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.prepare(lease=0.2)
    await_no_checkpointer(job)
    job.move()
    assert_counted(job.await_lines(20))


def test_a_cut_announced_again_or_another_one_takes_the_place_of_the_first(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    for cut in ("cut-1", "other", "cut-1"):
        job.agent.call("prepare", cut=cut, dir=f"/ergosphere/run/images/{cut}", leaseSeconds=30)
    job.move()
    assert_counted(job.await_lines(20))
    assert checkpointers(job) == 0


def test_another_cut_than_the_announced_one_is_made_all_the_same(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.agent.call("prepare", cut="other", dir="/ergosphere/run/images/other", leaseSeconds=30)
    job.dump()
    job.thaw()
    await_no_checkpointer(job)
    assert_counted(job.await_lines(20))


def test_a_program_that_ends_before_it_is_frozen_ends_its_pod_as_ever(pods: Pods) -> None:
    job = pods.python("import time\nprint(0, flush=True)\ntime.sleep(1)\nraise SystemExit(3)")
    job.await_lines()
    job.prepare()
    assert job.pod.wait() == 3


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_a_program_cannot_keep_its_pod_by_stopping_criu(pods: Pods, options: tuple[str, ...]) -> None:
    stop = "import os, glob, time\nprint(0, flush=True)\ntime.sleep(1)\n"
    stop += "for path in glob.glob('/proc/[0-9]*/comm'):\n"
    stop += "    if open(path).read() == 'criu\\n':\n"
    stop += f"        os.kill(int(path.split('/')[2]), {int(signal.SIGSTOP)})\n"
    job = pods.python(stop + "print(1, flush=True)\ntime.sleep(1)\nraise SystemExit(3)", options=options)
    job.await_lines()
    job.prepare()
    job.await_line("1")
    assert job.pod.wait() == 3


def stop_criu(job: Job) -> None:
    stop = "for p in /proc/[0-9]*; do grep -qx criu $p/comm && kill -STOP ${p#/proc/}; done; true"
    assert job.pod.exec("sh", "-c", stop).returncode == 0


def test_a_frozen_program_whose_criu_is_stopped_runs_on_when_it_is_let_go(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.freeze()
    stop_criu(job)
    job.agent.call("thaw", cut="cut-1")
    assert_counted(job.await_lines(20))
    job.move()
    assert_counted(job.await_lines(20))


def test_a_program_cannot_keep_its_launcher_busy_by_stopping_criu(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(20)
    job.prepare()
    stop_criu(job)
    with pytest.raises(Refused) as refused:
        job.dump()
    assert refused.value.reason == "CheckpointerFailed"
    assert_counted(job.await_lines(20))
    job.move()
    assert_counted(job.await_lines(20))
