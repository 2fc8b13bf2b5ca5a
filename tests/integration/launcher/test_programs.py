"""What real programs are made of, moved twice: everything must still be connected with everything."""

import shutil
import tarfile
from pathlib import Path

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pods import Pods
from tests.integration.launcher.rootfs import Template
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted

each_user = pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])


def moved_twice(pods: Pods, code: str, options: tuple[str, ...]) -> None:
    job = pods.python(code, options=options)
    for _ in range(2):
        job.await_lines(5)
        job.move()
    assert_counted(job.await_lines(5))


MULTIPROCESSING = """
import multiprocessing as mp, mmap, os, time
context = mp.get_context("fork")
queue, lock = context.Queue(), context.Lock()
total = context.Value("q", 0)
pages = context.RawArray("b", 1 << 22)
anonymous = mmap.mmap(-1, 1 << 16)
def work(mine):
    n = 0
    while True:
        with lock:
            total.value += 1
            pages[(mine << 20) + n % (1 << 20)] = n % 100
            anonymous[mine] = n % 100
        queue.put((mine, n))
        n += 1
        time.sleep(0.002)
for mine in range(3):
    context.Process(target=work, args=(mine,), daemon=True).start()
expected, taken = [0, 0, 0], 0
while True:
    for _ in range(30):
        mine, n = queue.get(timeout=20)
        assert n == expected[mine], (mine, n, expected)
        assert pages[(mine << 20) + n % (1 << 20)] == n % 100
        expected[mine] += 1
    with lock:
        assert total.value >= sum(expected)
    print(taken, flush=True)
    taken += 1
"""


@each_user
def test_worker_processes_with_queues_locks_and_shared_memory(pods: Pods, options: tuple[str, ...]) -> None:
    moved_twice(pods, MULTIPROCESSING, options)


# As data loaders do: each batch in a file that is removed at once, sent as a descriptor, mapped by both.
BATCHES = """
import mmap, os, socket, time
parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
SIZE = 1 << 20
if os.fork() == 0:
    kept = []
    for n in range(10**9):
        fd = os.open(f"/dev/shm/batch-{n}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(f"/dev/shm/batch-{n}")
        os.ftruncate(fd, SIZE)
        view = mmap.mmap(fd, SIZE)
        view[:] = bytes([n % 251]) * SIZE
        socket.send_fds(child, [b"%d" % n], [fd])
        kept = kept[-4:] + [(fd, view)]
        child.recv(1)
        assert view[0] == 255, "the parent's mark does not arrive"
        if len(kept) == 5:
            os.close(kept[0][0])
for n in range(10**9):
    text, (fd,), *_ = socket.recv_fds(parent, 64, 1)
    view = mmap.mmap(fd, SIZE)
    os.close(fd)
    assert int(text) == n and view[:] == bytes([n % 251]) * SIZE
    time.sleep(0.005)
    view[0] = 255
    parent.send(b"x")
    print(n, flush=True)
"""


@each_user
def test_batches_in_removed_shared_memory_files(pods: Pods, options: tuple[str, ...]) -> None:
    moved_twice(pods, BATCHES, options)


LOCAL_TCP = """
import socket, threading, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
half_closed = socket.create_connection(server.getsockname())
other_half, _ = server.accept()
half_closed.shutdown(socket.SHUT_WR)
def serve():
    for line in served.makefile():
        served.sendall(line.encode())
threading.Thread(target=serve, daemon=True).start()
answers = client.makefile()
for n in range(10**9):
    client.sendall(b"%d\\n" % n)
    assert answers.readline() == f"{n}\\n"
    other_half.sendall(b"x")
    assert half_closed.recv(1) == b"x"
    print(n, flush=True)
    time.sleep(0.002)
"""


@each_user
def test_connections_inside_the_pod(pods: Pods, options: tuple[str, ...]) -> None:
    moved_twice(pods, LOCAL_TCP, options)


UNIX_SOCKETS = """
import os, socket, time
os.makedirs("/tmp/run")
server = socket.socket(socket.AF_UNIX)
server.bind("/tmp/run/server")
server.listen()
def pair():
    client = socket.socket(socket.AF_UNIX)
    client.connect("/tmp/run/server")
    return client, server.accept()[0]
kept = pair()
for n in range(10**9):
    client, served = pair()
    for a, b in (kept, (client, served)):
        a.sendall(b"%d" % n)
        assert b.recv(64) == b"%d" % n
    print(n, flush=True)
    time.sleep(0.002)
"""


@each_user
def test_a_unix_socket_with_a_name(pods: Pods, options: tuple[str, ...]) -> None:
    moved_twice(pods, UNIX_SOCKETS, options)


CLOCKS = """
import threading, time
clocks = (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)
last = [time.clock_gettime(clock) for clock in clocks]
for n in range(10**9):
    now = [time.clock_gettime(clock) for clock in clocks]
    assert all(0 <= b - a < 100 for a, b in zip(last, now)), (last, now)
    last = now
    assert not threading.Event().wait(0.005)
    print(n, flush=True)
"""


@each_user
def test_clocks_go_on_whatever_the_uptime_of_the_node(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(CLOCKS, options=options, template=Template(uptime=10**6))
    for uptime in (5, 10**7, 0):
        job.await_lines(5)
        job.dump()
        job.leave()
        job.arrive(uptime=uptime)
        job.agent.call("thaw")
    assert_counted(job.await_lines(5))


MANY_FILES = """
import os, resource, time
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(soft + 100)]
for n in range(10**9):
    assert all(os.read(file, 1) == b"" for file in files)
    print(n, flush=True)
"""


@each_user
def test_more_open_files_than_a_process_starts_with(pods: Pods, options: tuple[str, ...]) -> None:
    moved_twice(pods, MANY_FILES, options)


OUTPUT = """
import os, subprocess, sys, time
again = os.open("/dev/stdout", os.O_WRONLY)
errors = os.dup(2)
for n in range(10**9):
    os.write(again if n % 2 else 1, b"%d\\n" % n)
    os.write(errors, b"error %d\\n" % n)
    time.sleep(0.002)
"""


@each_user
def test_both_streams_and_copies_of_them(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(OUTPUT, options=options)
    for _ in range(2):
        job.await_lines(5)
        job.move()
    assert_counted(job.await_lines(5))
    job.dump()
    errors = "".join(pod.stderr.read_text() for pod in job.pods).splitlines()
    assert abs(len(errors) - len(job.lines())) <= 1
    assert errors == [f"error {n}" for n in range(len(errors))]


APPEND = """
import time
log = open("/data/log", "a")
for n in range(10**9):
    log.write(f"{n}\\n")
    log.flush()
    print(n, flush=True)
    time.sleep(0.002)
"""


@each_user
def test_a_log_on_a_volume_is_set_back_to_the_cut(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(APPEND, options=options, volumes=("/data",))
    job.await_lines(5)
    job.dump()
    job.thaw()
    job.await_lines(20)
    job.fail()
    job.arrive()
    job.agent.call("thaw")
    job.await_lines(5)
    job.dump()
    assert_counted((job.volume("/data") / "log").read_text().splitlines())


def test_a_log_that_another_job_may_still_write_is_left_as_it_is(pods: Pods) -> None:
    job = pods.python(APPEND, options=("--job", "first"), volumes=("/data",))
    log = job.volume("/data") / "log"
    job.await_lines(5)
    job.dump()
    job.thaw()
    job.await_lines(20)
    job.fail()
    written = log.read_text()
    job.arrive(options=("--job", "second"))
    assert log.read_text() == written
    job.fail()
    job.arrive()
    assert len(log.read_text()) < len(written)


SCRIPT = """
cd "$(dirname "$0")/..data" || exit
for ((n = 0; ; n++)); do
    echo $n
    sleep 0.01
done
"""


def fill_config_map(volume: Path, stamp: str) -> None:
    """What the kubelet makes of a ConfigMap in each new pod."""
    for path in volume.glob("..2025*"):
        shutil.rmtree(path)
    for name in ("run.sh", "..data"):
        (volume / name).unlink(missing_ok=True)
    (volume / stamp).mkdir()
    (volume / stamp / "run.sh").write_text(SCRIPT)
    (volume / "..data").symlink_to(stamp)
    (volume / "run.sh").symlink_to("..data/run.sh")


@each_user
def test_a_shell_goes_on_with_its_script_from_a_config_map(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.job("/bin/bash", "/scripts/run.sh", options=options, volumes=("/scripts",))
    fill_config_map(job.volume("/scripts"), "..2025_11_27_05_59_07.123456789")
    job.start()
    for stamp in ("..2025_11_27_06_10_00.1", "..2025_11_27_06_20_00.4294967295"):
        job.await_lines(5)
        job.dump()
        job.leave()
        fill_config_map(job.volume("/scripts"), stamp)
        job.arrive()
        job.agent.call("thaw")
    assert_counted(job.await_lines(5))


def test_a_file_on_a_volume_that_is_gone_is_named(pods: Pods) -> None:
    job = pods.python(
        "open('/data/table', 'w').close(); f = open('/data/table')\n" + COUNT, volumes=("/data",)
    )
    job.await_lines(5)
    job.dump()
    job.leave()
    (job.volume("/data") / "table").unlink()
    with pytest.raises(Refused) as refused:
        job.arrive()
    assert refused.value.reason == "FileMissing"
    assert "/data/table" in refused.value.message


SCRATCH = "f = open('/scratch/file', 'a+'); f.write('x'); f.flush(); import os; os.mkdir('/scratch/dir')\n"


@each_user
def test_an_empty_directory_of_the_pod_is_carried_along(pods: Pods, options: tuple[str, ...]) -> None:
    job = pods.python(
        SCRATCH + COUNT, options=("--carry", "/scratch", *options), template=Template(scratch=("/scratch",))
    )
    for _ in range(2):
        job.await_lines(5)
        job.move()
    assert job.pod.exec("ls", "/scratch").stdout.split() == ["dir", "file"]


def test_a_volume_in_place_of_shared_memory_is_carried_once(pods: Pods) -> None:
    program = "f = open('/dev/shm/file', 'a+'); f.write('x'); f.flush()\n" + COUNT
    job = pods.python(program, options=("--carry", "/dev/shm"))
    job.await_lines(5)
    job.dump()
    with tarfile.open(job.pod.images / job.cut / "files.tar") as archive:
        assert archive.getnames().count("dev/shm/file") == 1


def test_files_that_the_program_may_only_read_are_left_to_whoever_fills_the_new_pod(pods: Pods) -> None:
    job = pods.python(COUNT, options=("--carry", "/ergosphere/bin"))
    for _ in range(2):
        job.await_lines(5)
        job.move()
    job.await_lines(5)
