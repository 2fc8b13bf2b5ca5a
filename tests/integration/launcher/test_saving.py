"""Programs that save their own state: asked by a signal, stored as a directory, started again from it."""

import json
import os
import shutil
import signal
import time

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pod import Pod
from tests.integration.launcher.pods import PYTHON, Job, Pods
from tests.integration.launcher.rootfs import Template
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER

from ergosphere.workload.launcher import SAVING_CAPABILITIES

STATE = "/var/state"
SAVES = ("--save-in", STATE, "--save-within", "30")

# Counts in memory, and keeps the count when it is asked to.
COUNT = """
import os, signal, sys, time
wanted = []
signal.signal(signal.SIGUSR1, lambda *_: wanted.append(1))
begin = 0
if "ERGOSPHERE_CHECKPOINT" in os.environ:
    begin = int(open(os.environ["ERGOSPHERE_CHECKPOINT"] + "/count").read())
print("from", begin, flush=True)
for number in range(begin, 10**9):
    if wanted:
        open("/var/state/count", "w").write(str(number))
        sys.exit(0)
    print(number, flush=True)
    time.sleep(0.001)
"""


def counted(job: Job) -> list[int]:
    return [int(line) for line in job.lines() if not line.startswith("from")]


def await_more_without_a_gap(job: Job) -> None:
    """The program counts on, and has left out and repeated nothing since it began."""
    job.await_lines(20)
    numbers = counted(job)
    assert numbers == list(range(len(numbers)))


def give(pod: Pod, images: list[Pod], cut: str) -> None:
    """Hands a pod the images of a cut that several pods made, in the order in which they are laid."""
    for number, other in enumerate(images):
        shutil.copytree(other.images / cut, pod.images / cut / str(number))
    for path in (pod.images / cut, *(pod.images / cut).rglob("*")):
        os.chown(path, pod.base, pod.base)


def go_on(job: Job, *images: Pod) -> None:
    """Goes on in a new pod, from images of the last cut."""
    old = job.pod
    job.begin()
    give(job.pod, [*images] or [old], job.cut)
    job.agent.restore(job.cut)
    assert job.agent.call("status")["state"] == "Restored"
    job.agent.call("thaw")


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_a_program_goes_on_elsewhere_from_what_it_saved(pods: Pods, options: tuple[str, ...]) -> None:
    few = Template(capabilities=frozenset(SAVING_CAPABILITIES))
    job = pods.python(COUNT, options=(*options, *SAVES, "--must-save"), template=few)
    for _ in range(3):
        job.await_lines(20)
        job.prepare()
        job.dump()
        job.leave()
        go_on(job)
    await_more_without_a_gap(job)
    starts = [line for line in job.lines() if line.startswith("from")]
    assert len(starts) == 4
    assert starts.count("from 0") == 1


def test_a_program_that_stays_is_started_again_where_it_is(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare()
    job.dump()
    assert job.agent.call("status")["state"] == "Frozen"
    job.thaw()
    await_more_without_a_gap(job)
    assert len(job.pods) == 1


def test_a_lease_that_runs_out_starts_the_program_again(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare()
    job.dump(lease=0.2)
    assert job.agent.event("thawed")["reason"] == "LeaseExpired"
    await_more_without_a_gap(job)


def test_one_of_a_gang_is_not_started_again_without_what_the_others_saved(pods: Pods) -> None:
    job = pods.python(COUNT, options=(*SAVES, "--gang"))
    job.await_lines(20)
    job.prepare()
    job.dump(lease=0.2)
    event = job.agent.event("exited")
    assert (event["code"], event["signal"]) == (0, 0)
    assert job.pod.wait() == 0
    assert json.loads(job.pod.termination.read_text()) == {"left": job.cut}


def test_a_program_that_hears_of_the_cut_from_its_peers_may_end_before_it_is_asked(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare()
    job.agent.call("signal", signal=int(signal.SIGUSR1))
    job.await_file(STATE + "/count")
    job.dump()
    job.leave()
    go_on(job)
    await_more_without_a_gap(job)


def test_a_program_that_ended_for_a_cut_that_does_not_come_is_started_again(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare(lease=0.2)
    job.agent.call("signal", signal=int(signal.SIGUSR1))
    assert job.agent.event("thawed")["reason"] == "LeaseExpired"
    await_more_without_a_gap(job)


def test_a_program_that_ends_without_a_cut_has_ended(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.agent.call("signal", signal=int(signal.SIGUSR1))
    assert job.agent.event("exited")["code"] == 0
    assert job.pod.wait() == 0


def test_a_program_without_a_handler_is_not_ended_by_the_signal(pods: Pods) -> None:
    job = pods.job("sh", "-c", "while sleep 0.01; do echo on; done", options=SAVES).start()
    job.await_lines(2)
    with pytest.raises(Refused) as refused:
        job.prepare()
    assert refused.value.reason == "SignalNotHandled"
    assert "signal 10 (user defined signal 1)" in refused.value.message
    with pytest.raises(Refused):
        job.dump()
    job.await_lines(2)


def test_a_program_below_a_shell_is_asked_as_it_handles_the_signal_and_the_shell_does_not(pods: Pods) -> None:
    command = (PYTHON, "-c", COUNT)
    job = pods.job("sh", "-c", '"$@"; exit $?', "sh", *command, options=(*SAVES, "--must-save")).start()
    job.await_lines(20)
    job.prepare()
    job.dump()
    job.leave()
    go_on(job)
    await_more_without_a_gap(job)


SAVES_LATE = COUNT.replace("sys.exit(0)", "time.sleep(3); sys.exit(0)")


def test_an_agent_that_comes_while_a_program_saves_is_told_that_it_does(pods: Pods) -> None:
    job = pods.python(SAVES_LATE, options=SAVES)
    job.await_lines(20)
    job.prepare()
    assert "busy" not in job.agent.call("status")
    job.cuts += 1
    job.agent.send("dump", cut=job.cut, dir=f"/ergosphere/run/images/{job.cut}", leaseSeconds=30)
    successor = job.pod.agent()
    busy = successor.call("status")
    assert (busy["state"], busy["busy"]) == ("Running", "dump")
    while "busy" in (ended := successor.call("status")):
        time.sleep(0.05)
    assert (ended["state"], ended["cut"]) == ("Frozen", job.cut)
    successor.close()


def test_a_program_that_saves_too_late_runs_on_and_is_started_again_when_it_has(pods: Pods) -> None:
    job = pods.python(SAVES_LATE, options=("--save-in", STATE, "--save-within", "1"))
    job.await_lines(20)
    job.prepare(lease=0.2)
    with pytest.raises(Refused) as refused:
        job.dump()
    assert (refused.value.reason, "within 1s" in refused.value.message) == ("NotSaved", True)
    assert job.agent.call("status")["state"] == "Running"
    job.agent.event("thawed")
    await_more_without_a_gap(job)


def test_a_program_that_fails_to_save_has_failed(pods: Pods) -> None:
    job = pods.python(COUNT.replace("sys.exit(0)", "sys.exit(3)"), options=SAVES)
    job.await_lines(20)
    job.prepare()
    with pytest.raises(Refused) as refused:
        job.dump()
    assert refused.value.reason == "NotSaved"
    assert "exit code 3" in refused.value.message
    assert job.pod.wait() == 3
    assert json.loads(job.pod.termination.read_text()) == {"exit": {"code": 3, "signal": 0}}


def test_a_program_that_had_to_save_and_left_nothing_is_started_again(pods: Pods) -> None:
    silent = COUNT.replace('open("/var/state/count", "w").write(str(number))', "pass")
    job = pods.python(silent.replace("begin = int", "begin = 0 #"), options=(*SAVES, "--must-save"))
    job.await_lines(20)
    job.prepare()
    with pytest.raises(Refused) as refused:
        job.dump()
    assert refused.value.reason == "NothingSaved"
    job.await_lines(20)


def test_what_a_program_leaves_running_does_not_outlive_it(pods: Pods) -> None:
    job = pods.python("import subprocess\nsubprocess.Popen(['sleep', '1000'])\n" + COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare()
    job.dump()
    job.thaw()
    job.await_lines(20)
    assert job.pod.exec("pgrep", "-c", "sleep").stdout == "1\n"


def test_a_terminated_pod_whose_program_has_saved_ends(pods: Pods) -> None:
    job = pods.python(COUNT, options=(*SAVES, "--grace", "4"))
    job.await_lines(20)
    job.prepare()
    job.dump()
    job.pod.signal(signal.SIGTERM)
    assert job.pod.wait() == 143


WRITES_FILES = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
rank = os.environ["RANK"]
if "ERGOSPHERE_CHECKPOINT" in os.environ:
    for name in sorted(os.listdir("/var/state")):
        print(name, open("/var/state/" + name).read(), flush=True)
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
for name in (rank, "common"):
    open("/var/state/" + name, "w").write("of " + rank)
"""


def test_workers_see_what_all_of_them_saved_whatever_their_number(pods: Pods) -> None:
    ranks = [pods.python(WRITES_FILES, options=SAVES, env={"RANK": str(rank)}) for rank in range(2)]
    for job in ranks:
        job.await_line("ready")
        job.prepare()
        job.dump()
        job.leave()
    go_on(ranks[0], ranks[1].pod, ranks[0].pod)
    ranks[0].await_lines(3)
    assert ranks[0].lines()[1:4] == ["0 of 0", "1 of 1", "common of 0"]


ONE_WRITES = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
count = int(open("/var/state/count").read()) if "ERGOSPHERE_CHECKPOINT" in os.environ else 0
print("count", count, flush=True)
signal.sigwait([signal.SIGUSR1])
if os.environ["RANK"] == "0":
    open("/var/state/count", "w").write(str(count + 1))
"""


def test_what_a_worker_only_kept_yields_to_what_another_wrote(pods: Pods) -> None:
    ranks = [pods.python(ONE_WRITES, options=SAVES, env={"RANK": str(rank)}) for rank in range(2)]
    for count in range(3):
        for job in ranks:
            job.await_line(f"count {count}")
            job.prepare()
            job.dump()
            job.leave()
        first, second = (job.pod for job in ranks)
        go_on(ranks[0], second, first)
        go_on(ranks[1], first, second)
    for job in ranks:
        job.await_line("count 3")


def test_a_directory_on_a_volume_is_expected_where_the_program_goes_on(pods: Pods) -> None:
    job = pods.python(COUNT.replace(STATE, "/shared"), options=("--save-in", "/shared"), volumes=("/shared",))
    job.await_lines(20)
    job.prepare()
    job.dump()
    assert sorted(p.name for p in (job.pod.images / job.cut).iterdir()) == ["launcher.json"]
    job.leave()
    go_on(job)
    await_more_without_a_gap(job)


def test_a_checkpoint_of_the_other_mode_is_refused(pods: Pods) -> None:
    job = pods.python(COUNT, options=SAVES)
    job.await_lines(20)
    job.prepare()
    job.dump()
    job.leave()
    other = pods.job("sleep", "1000")
    other.pod.receive(job.pod, job.cut)
    with pytest.raises(Refused) as refused:
        other.agent.restore(job.cut)
    assert refused.value.reason == "WrongMode"
