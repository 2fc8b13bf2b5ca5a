"""A program from its start to its end under the launcher, and how a cut can be undone."""

import json
import signal
import time

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pods import Job, Pods
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted


def termination(job: Job) -> dict[str, object]:
    message: dict[str, object] = json.loads(job.pod.termination.read_text())
    return message


def test_the_program_waits_for_the_agent(pods: Pods) -> None:
    job = pods.job("/usr/bin/echo", "hello")
    status = job.agent.call("status")
    assert (status["state"], status["cut"]) == ("Waiting", "")
    job.start()
    assert job.pod.wait() == 0
    assert job.pod.stdout.read_text() == "hello\n"


def test_starting_twice_starts_one(pods: Pods) -> None:
    job = pods.python(COUNT)
    pid = job.agent.call("status")["pid"]
    job.start()
    assert job.agent.call("status")["pid"] == pid


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_programs(pods: Pods, code: int) -> None:
    job = pods.job("sh", "-c", f"exit {code}")
    number = job.agent.send("start")
    assert job.agent.reply(number)["ok"]
    event = job.agent.event("exited")
    assert (event["code"], event["signal"]) == (code, 0)
    assert job.pod.wait() == code
    assert termination(job) == {"exit": {"code": code, "signal": 0}}


def test_a_program_killed_by_a_signal_says_so(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines()
    job.agent.call("signal", signal=int(signal.SIGKILL))
    event = job.agent.event("exited")
    assert (event["code"], event["signal"]) == (137, 9)
    assert job.pod.wait() == 137


UNTIL_SIGNALLED = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
sys.exit(7)
"""


def test_the_exit_code_after_a_move_is_the_programs(pods: Pods) -> None:
    job = pods.python(UNTIL_SIGNALLED)
    job.await_line("ready")
    job.move()
    job.agent.call("signal", signal=int(signal.SIGUSR1))
    assert job.agent.event("exited")["code"] == 7
    assert job.pod.wait() == 7


@pytest.mark.parametrize(
    ("command", "code"), [("/no/such/program", 127), ("no-such-program", 127), ("/etc/passwd", 126)]
)
def test_a_program_that_cannot_be_executed(pods: Pods, command: str, code: int) -> None:
    job = pods.job(command).start()
    assert job.pod.wait() == code
    assert f'cannot execute "{command}"' in job.pod.stderr.read_text()


def test_nothing_written_last_is_lost(pods: Pods) -> None:
    job = pods.python("import os\nfor i in range(2000): os.write(1, b'x' * 1023 + b'\\n')")
    assert job.pod.wait() == 0
    assert job.pod.stdout.read_text() == ("x" * 1023 + "\n") * 2000


def test_what_outlives_the_root_of_the_tree_is_ended(pods: Pods) -> None:
    job = pods.job("sh", "-c", "sleep 1000 & echo $!; exit 5").start()
    assert job.pod.wait() == 5


# A handler with pause() would lose a signal that arrives just before pause() does.
LISTENER = """
import signal, sys
heard = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT}
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
print("ready", flush=True)
while True:
    number = signal.sigwait(heard)
    print(number.name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(9)
"""


def test_signals_to_the_container_reach_the_program(pods: Pods) -> None:
    job = pods.python(LISTENER)
    job.await_line("ready")
    for name in ("SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGQUIT"):
        job.pod.signal(signal.Signals[name])
        job.await_line(name)


def test_an_eviction_leaves_time_to_go_elsewhere(pods: Pods) -> None:
    job = pods.python(LISTENER, options=("--grace", "60"))
    job.await_line("ready")
    job.pod.signal(signal.SIGTERM)
    assert job.agent.event("terminating")["graceSeconds"] == 60
    job.move()
    job.pod.signal(signal.SIGUSR1)
    job.await_line("SIGUSR1")
    assert "SIGTERM" not in job.lines()


def test_an_eviction_that_nobody_answers_ends_the_program_in_time(pods: Pods) -> None:
    job = pods.python(LISTENER, options=("--grace", "4"))
    job.await_line("ready")
    job.pod.signal(signal.SIGTERM)
    job.agent.event("terminating")
    assert job.agent.event("exited")["code"] == 9
    assert job.pod.wait() == 9
    assert job.lines() == ["ready", "SIGTERM"]


# It ignores SIGTERM at first, as some programs do.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM", flush=True))
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""


@pytest.mark.parametrize("op", ["prepare", "freeze", "dump"])
def test_a_program_that_has_been_told_to_end_is_not_cut_any_more(pods: Pods, op: str) -> None:
    job = pods.python(STUBBORN, options=("--grace", "4"))
    job.await_line("ready")
    job.pod.signal(signal.SIGTERM)
    job.await_line("SIGTERM")
    with pytest.raises(Refused) as refused:
        job.agent.call(op, cut="a", dir="/ergosphere/run/images/a", leaseSeconds=30)
    assert refused.value.reason == "ProgramEnding"


def test_a_cut_under_way_has_all_of_the_grace_period(pods: Pods) -> None:
    job = pods.python(LISTENER, options=("--grace", "20"))
    job.await_line("ready")
    job.freeze()
    job.pod.signal(signal.SIGTERM)
    job.agent.event("terminating")
    time.sleep(11)
    job.dump()
    job.leave()
    job.arrive()
    job.agent.call("thaw")
    job.pod.signal(signal.SIGUSR1)
    job.await_line("SIGUSR1")
    assert "SIGTERM" not in job.lines()


def test_a_frozen_program_that_is_told_to_end_is_thawed_for_it_and_that_is_said(pods: Pods) -> None:
    job = pods.python(LISTENER, options=("--grace", "4"))
    job.await_line("ready")
    job.freeze()
    job.pod.signal(signal.SIGTERM)
    thawed = job.agent.event("thawed")
    assert (thawed["cut"], thawed["reason"]) == ("cut-1", "Terminating")
    assert job.pod.wait() == 9


@pytest.mark.parametrize("grace", ["1", "60"])
def test_a_restored_program_that_is_told_to_end_before_it_is_let_go_does_not_run(
    pods: Pods, grace: str
) -> None:
    job = pods.python(LISTENER, options=("--grace", grace))
    job.await_line("ready")
    job.dump()
    job.leave()
    job.arrive()
    job.pod.signal(signal.SIGTERM)
    assert job.agent.event("exited")["signal"] == signal.SIGTERM
    assert job.pod.wait() == 143
    assert job.lines() == ["ready"]


def test_without_an_agent_an_eviction_ends_the_program_at_once(pods: Pods) -> None:
    job = pods.python(LISTENER, options=("--grace", "1000000"))
    job.await_line("ready")
    job.agent.close()
    job.pod.await_no_agent()
    job.pod.signal(signal.SIGTERM)
    assert job.pod.wait() == 9


def test_a_container_that_has_not_begun_ends_at_once(pods: Pods) -> None:
    job = pods.job("sleep", "1000")
    job.pod.signal(signal.SIGTERM)
    assert job.pod.wait() == 143


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_a_lease_that_runs_out_undoes_the_cut(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(COUNT, options=options)
    job.await_lines(20)
    job.dump(lease=0.2)
    event = job.agent.event("thawed")
    assert (event["cut"], event["reason"]) == (job.cut, "LeaseExpired")
    assert_counted(job.await_lines(20))
    with pytest.raises(Refused) as refused:
        job.leave()
    assert refused.value.reason == "WrongState"
    job.move()
    assert_counted(job.await_lines(20))


def test_a_renewed_lease_holds(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(5)
    job.dump(lease=0.5)
    job.agent.call("renew", cut=job.cut, leaseSeconds=600)
    lines = job.lines()
    with pytest.raises(TimeoutError):
        job.agent.expect_silence(1.0)
    assert job.agent.call("status")["state"] == "Frozen"
    assert job.lines() == lines


def test_a_frozen_program_stands_still_and_every_byte_is_out(pods: Pods) -> None:
    job = pods.python("import os\nn = 0\nwhile True:\n    os.write(1, b'%d\\n' % n)\n    n += 1")
    job.await_lines(1000)
    job.dump()
    job.leave()
    left = job.lines()
    job.arrive()
    assert job.lines() == left
    job.agent.call("thaw")
    assert_counted(job.await_lines(1000))


def test_a_cut_asked_for_again_is_the_same_cut(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(5)
    first = job.dump()
    again = job.agent.dump(job.cut)
    assert {**first, "id": 0} == {**again, "id": 0}


@pytest.mark.parametrize(
    ("op", "arguments", "reason"),
    [
        ("dump", {"cut": "a", "dir": "/etc/a", "leaseSeconds": 5}, "BadRequest"),
        ("dump", {"cut": "a", "dir": "/ergosphere/run/images/../a", "leaseSeconds": 5}, "BadRequest"),
        ("dump", {"cut": "a", "dir": "/ergosphere/run/images/a"}, "BadRequest"),
        ("dump", {"cut": "../a", "dir": "/ergosphere/run/images/a", "leaseSeconds": 5}, "BadRequest"),
        ("prepare", {"cut": "a", "dir": "/etc/a", "leaseSeconds": 5}, "BadRequest"),
        ("prepare", {"cut": "a", "dir": "/ergosphere/run/images/a"}, "BadRequest"),
        ("leave", {"cut": "a"}, "WrongState"),
        ("renew", {"cut": "a", "leaseSeconds": 5}, "WrongState"),
        ("restore", {"dir": "/ergosphere/run/images/a"}, "WrongState"),
        ("signal", {"signal": 0}, "BadRequest"),
        ("signal", {"signal": 65}, "BadRequest"),
        ("fly", {}, "BadRequest"),
        ("status", {"unheard": "of"}, "BadRequest"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    pods: Pods, op: str, arguments: dict[str, object], reason: str
) -> None:
    job = pods.python(COUNT)
    with pytest.raises(Refused) as refused:
        job.agent.call(op, **arguments)
    assert refused.value.reason == reason
    job.await_lines()


def test_another_cut_cannot_thaw_or_end_this_one(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines()
    job.dump()
    for op in ("thaw", "leave", "renew"):
        with pytest.raises(Refused) as refused:
            job.agent.call(op, cut="other", leaseSeconds=5)
        assert refused.value.reason == "WrongCut"


def test_a_new_agent_replaces_the_old(pods: Pods) -> None:
    job = pods.python(COUNT)
    successor = job.pod.agent()
    assert successor.call("status")["state"] == "Running"
    with pytest.raises((EOFError, ConnectionError)):
        job.agent.call("status")
    successor.close()
