"""A CRIU that does not come to its end has the program's connections in its hands: they are given back."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.integration.launcher.agent import PATIENCE, Refused
from tests.integration.launcher.pods import Job, Pods
from tests.integration.launcher.test_freeze import state
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT
from tests.integration.launcher.test_programs import LOCAL_TCP
from tests.integration.launcher.test_ready import stop_criu

# Nothing passes from the death of CRIU until the launcher hears of it. This program bears it.
PATIENT_TCP = """
import os, socket, time
ballast = os.urandom(1 << 20) * 256
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
def patiently(do, value):
    while True:
        try:
            return do(value)
        except PermissionError:
            time.sleep(0.01)
for n in range(10**9):
    for end, other in ((client, served), (served, client)):
        patiently(end.sendall, b"x")
        assert patiently(other.recv, 1) == b"x"
    print(n, flush=True)
    time.sleep(0.01)
"""

each_user = pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])


def checkpointer(job: Job) -> int:
    """The number of the pod's CRIU on this machine."""
    namespace = os.readlink(f"/proc/{job.pod.pid}/ns/pid")
    for process in Path("/proc").glob("[0-9]*"):
        if (process / "comm").read_text() == "criu\n" and os.readlink(process / "ns/pid") == namespace:
            return int(process.name)
    raise AssertionError("there is no CRIU in the pod")


def await_pages(job: Job, cut: str) -> None:
    """Waits until the first memory is in the image: by then all connections are."""
    deadline = time.monotonic() + PATIENCE
    while not any(pages.stat().st_size for pages in (job.pod.home / "run/images" / cut).glob("pages-*.img")):
        assert time.monotonic() < deadline, "nothing is written"


@each_user
def test_when_it_is_killed_in_the_middle_of_a_dump(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(PATIENT_TCP, options=options)
    job.await_lines(3)
    job.prepare()
    criu = checkpointer(job)
    with ThreadPoolExecutor() as beside:
        dump = beside.submit(job.dump)
        await_pages(job, "cut-1")
        os.kill(criu, signal.SIGKILL)
        with pytest.raises(Refused) as refused:
            dump.result()
    assert refused.value.reason == "CheckpointerFailed"
    assert state(job) == ("Running", "")
    job.await_lines(20)
    job.move()
    job.await_lines(20)


@each_user
def test_when_it_is_stopped_after_a_dump(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(LOCAL_TCP, options=options)
    job.await_lines(3)
    job.dump()
    stop_criu(job)
    job.thaw()
    job.await_lines(20)
    job.move()
    job.await_lines(20)


@each_user
@pytest.mark.parametrize("dumped", [False, True], ids=["frozen", "dumped"])
def test_when_it_is_killed_while_it_holds_the_program_the_cut_is_undone(
    pods: Pods, options: tuple[str, ...], dumped: bool
) -> None:
    job = pods.python(PATIENT_TCP, options=options)
    job.await_lines(3)
    job.freeze(lease=300)
    if dumped:
        job.dump(lease=300)
    os.kill(checkpointer(job), signal.SIGKILL)
    assert job.agent.event("thawed")["reason"] == "CheckpointerEnded"
    assert state(job) == ("Running", "")
    job.await_lines(20)


def test_when_it_is_killed_before_a_restored_program_is_let_go_that_is_lost(pods: Pods) -> None:
    job = pods.python(COUNT)
    job.await_lines(3)
    job.dump()
    job.leave()
    job.arrive()
    os.kill(checkpointer(job), signal.SIGKILL)
    assert job.pod.wait() == 137
    assert not job.pod.termination.read_text()
