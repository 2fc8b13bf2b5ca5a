"""Programs that move between pods and do not notice."""

import re

import pytest
from tests.integration.launcher.pods import Pods

AS_ROOT: tuple[str, ...] = ()
AS_USER = ("--user", "1000:1000:27,44")

COUNT = """
import time
for i in range(10**9):
    print(i, flush=True)
    time.sleep(0.001)
"""


def assert_counted(lines: list[str]) -> None:
    assert lines == [str(number) for number in range(len(lines))]


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_ten_moves_lose_and_repeat_nothing(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(COUNT, options=options)
    for _ in range(10):
        job.await_lines(50)
        job.move()
    assert_counted(job.await_lines(50))
    assert len(job.pods) == 11


def test_a_cut_that_stays_loses_nothing(pods: Pods) -> None:
    job = pods.python(COUNT)
    for _ in range(3):
        job.await_lines(50)
        job.dump()
        job.thaw()
    assert_counted(job.await_lines(50))


THREADS = """
import threading, time
counts = [0] * 8
def count(mine):
    while True:
        counts[mine] += 1
        time.sleep(0.001)
for mine in range(8):
    threading.Thread(target=count, args=(mine,), daemon=True).start()
while True:
    before = list(counts)
    while not all(now > then for now, then in zip(counts, before)):
        time.sleep(0.001)
    print(threading.active_count(), flush=True)
"""


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_all_threads_go_on(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(THREADS, options=options)
    job.await_lines(2)
    job.move()
    assert set(job.await_lines(3)) == {"9"}


FAMILY = """
import os, time
up, down = os.pipe()
root = os.getpid()
if os.fork() == 0:
    if os.fork() == 0:
        while os.getppid() != root:
            time.sleep(0.001)
        for n in range(10**9):
            assert os.getppid() == root
            os.write(down, b"%d\\n" % n)
            time.sleep(0.001)
    os._exit(0)
os.wait()
for line in os.fdopen(up):
    print(line, end="", flush=True)
"""


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_a_family_with_pipes_and_an_orphan_stays_together(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(FAMILY, options=options)
    job.await_lines(20)
    job.move()
    job.await_lines(20)
    job.move()
    assert_counted(job.await_lines(20))


FILES = """
import os, time
os.makedirs("/tmp/deep/er", exist_ok=True)
os.chmod("/tmp/deep/er", 0o750)
os.utime("/tmp/deep", (1, 10**9))
os.symlink("er", "/tmp/deep/link")
os.mkfifo("/tmp/deep/fifo")
log = open("/tmp/deep/er/log", "a+")
unlinked = open("/tmp/gone", "w+")
os.unlink("/tmp/gone")
half = open("/tmp/half", "w+")
os.link("/tmp/half", "/tmp/deep/other-half")
os.unlink("/tmp/half")
shared = open("/dev/shm/shared", "w+")
for n in range(10**9):
    for file in (log, unlinked, half, shared):
        file.write(f"{n}\\n")
        file.flush()
        file.seek(0)
        lines = file.read().splitlines()
        assert lines == [str(i) for i in range(n + 1)], (file.name, lines)
    assert os.stat("/tmp/deep/er").st_mode & 0o777 == 0o750
    assert os.readlink("/tmp/deep/link") == "er"
    assert os.path.samestat(os.stat("/tmp/deep/other-half"), os.fstat(half.fileno()))
    print(n, flush=True)
    time.sleep(0.01)
"""


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
def test_the_files_that_a_program_wrote_move_with_it(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(FILES, options=options)
    job.await_lines(5)
    job.move()
    job.await_lines(5)
    job.move()
    assert_counted(job.await_lines(5))


def test_a_file_of_the_image_that_the_program_removed_stays_removed(pods: Pods) -> None:
    job = pods.python("import os; os.unlink('/etc/image-file')\n" + COUNT)
    job.await_lines(5)
    job.move()
    job.await_lines(5)
    assert job.pod.exec("ls", "/etc").stdout.split() == ["passwd"]


def test_a_preloaded_library_of_the_image_does_not_reach_the_launcher_or_criu(pods: Pods) -> None:
    job = pods.python(COUNT, env={"LD_PRELOAD": "/usr/lib/nothing.so"})
    assert job.pod.exec("sh", "-c", "echo /usr/lib/nothing-either.so > /etc/ld.so.preload").returncode == 0
    job.await_lines(5)
    job.move()
    assert_counted(job.await_lines(5))
    assert re.search("nothing.so", job.pods[0].stderr.read_text())
    assert "nothing" not in job.pods[1].stderr.read_text()
