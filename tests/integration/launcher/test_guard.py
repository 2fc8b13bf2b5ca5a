"""What the user's program may not do, even as root of its pod."""

import pytest
from tests.integration.launcher.pods import Pods
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted

each_user = pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])

STATUS = """
import time
while True:
    for line in open("/proc/self/status"):
        if line.startswith(("Cap", "NoNewPrivs", "Uid", "Gid", "Groups")):
            print("\\t".join(line.split()), flush=True)
    print("", flush=True)
    time.sleep(0.01)
"""


@each_user
def test_the_program_has_no_capabilities_before_or_after_a_move(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(STATUS, options=options)
    job.await_lines(20)
    job.move()
    job.await_lines(20)
    ids = "1000" if options else "0"
    groups = "\t27\t44" if options else ""
    none = "0" * 16
    assert set(job.lines()) == {
        "",
        f"Uid:\t{ids}\t{ids}\t{ids}\t{ids}",
        f"Gid:\t{ids}\t{ids}\t{ids}\t{ids}",
        f"Groups:{groups}",
        "NoNewPrivs:\t1",
        *(f"Cap{kind}:\t{none}" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
    }


ATTEMPTS = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, action):
    try:
        result = action()
        print(name, "SUCCEEDED", repr(result)[:80], flush=True)
    except OSError as error:
        print(name, "failed", error.strerror, flush=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
attempt("memory", lambda: open("/proc/1/mem", "rb"))
attempt("environment", lambda: open("/proc/1/environ", "rb").read())
attempt("descriptors", lambda: os.readlink("/proc/1/fd/1"))
attempt("root", lambda: os.listdir("/proc/1/root/ergosphere/run"))
attempt("trace", lambda: call(101, 16, 1, 0, 0))
attempt("steal", lambda: call(438, os.pidfd_open(1), 3, 0))
attempt("enter", lambda: os.listdir("/ergosphere/run"))
attempt("replace", lambda: os.rename("/ergosphere/run", "/ergosphere/other"))
attempt("permit", lambda: os.chmod("/ergosphere/run", 0o777))
attempt("own", lambda: os.chown("/ergosphere/run", 0, 0))
attempt("binary", lambda: open("/ergosphere/bin/criu", "r+b"))
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect("/ergosphere/run/launcher.sock"))
attempt("mount", lambda: call(165, b"none", b"/mnt", b"tmpfs", 0, 0))
print("done", flush=True)
"""


@each_user
def test_the_launcher_and_its_files_are_out_of_reach(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(ATTEMPTS + "import time; time.sleep(1000)", options=options)
    job.await_line("done")
    attempts = job.lines()[:-1]
    assert len(attempts) == 13
    assert [line for line in attempts if " failed " not in line] == []


CONNECT = """
import socket
agent = socket.socket(socket.AF_UNIX)
agent.connect("/ergosphere/run/launcher.sock")
print("connected")
agent.settimeout(30)
print(agent.recv(1))
"""


def test_even_root_of_the_container_is_no_agent(pods: Pods) -> None:
    """`kubectl exec` gives all of the container's capabilities, and a place in its PID namespace."""
    job = pods.python(COUNT)
    assert job.agent.call("status")["state"] == "Running"
    attempt = job.pod.exec("/usr/bin/python3", "-c", CONNECT)
    assert attempt.stdout.splitlines() == ["connected", "b''"]
    assert job.agent.call("status")["state"] == "Running"
    assert "inside the program's container" in job.pod.stderr.read_text()


TRAP = """
import os
os.makedirs("/etc/criu", exist_ok=True)
os.makedirs("/root/.criu", exist_ok=True)
for path in ("/etc/criu/default.conf", "/root/.criu/default.conf"):
    open(path, "w").write("action-script /tmp/trap\\n")
open("/tmp/trap", "w").write("#!/bin/sh\\ntouch /tmp/sprung\\n")
os.chmod("/tmp/trap", 0o755)
"""


def test_criu_takes_no_configuration_from_the_container(pods: Pods) -> None:
    job = pods.python(TRAP + COUNT)
    job.await_lines(5)
    job.move()
    assert_counted(job.await_lines(5))
    assert job.pod.exec("ls", "/tmp/sprung").returncode != 0
    assert job.pod.exec("ls", "/tmp/trap").returncode == 0


def test_files_are_not_restored_through_links(pods: Pods) -> None:
    """The image of the second pod holds a link where the program's files go."""
    job = pods.python("import os; os.makedirs('/work'); open('/work/file', 'w').write('x')\n" + COUNT)
    job.await_lines(5)
    job.dump()
    job.leave()
    job.arrive(links=(("/work", "/ergosphere/run"),))
    job.agent.call("thaw")
    assert job.pod.exec("cat", "/work/file").stdout == "x"
    assert not (job.pod.home / "run" / "file").exists()
