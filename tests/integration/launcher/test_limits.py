"""Programs that cannot be checkpointed: they run on untouched, and their owner learns why."""

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pods import Pods
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT, assert_counted

CALL = "import ctypes, os, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n"
OBSTACLES = {
    "IoUring": "assert libc.syscall(425, 8, ctypes.create_string_buffer(120)) >= 0",
    "FileWatch": "assert libc.inotify_add_watch(libc.inotify_init(), b'/tmp', 0x100) >= 0",
    "UserNamespace": "assert libc.unshare(0x10000000) == 0",
    "SystemVIPC": "assert libc.semget(0, 1, 0o1600) >= 0",
    "MessageQueue": "assert libc.mq_open(b'/queue', os.O_CREAT | os.O_RDWR, 0o600, None) >= 0",
    "ConnectionNotAccepted": (
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())"
    ),
    "SeccompFilter": (
        "assert libc.prctl(22, 2, (ctypes.c_uint64 * 2)(1, ctypes.addressof("
        "instruction := ctypes.c_uint64(0x7FFF0000 << 32 | 6))), 0, 0) == 0"
    ),
    "Traced": """
child = os.fork()
if child == 0:
    libc.ptrace(0, 0, 0, 0)
    os.kill(os.getpid(), 19)
os.waitpid(child, os.WUNTRACED)
""",
}


@pytest.mark.parametrize("options", [AS_ROOT, AS_USER], ids=["root", "user"])
@pytest.mark.parametrize("reason", OBSTACLES)
def test_a_program_that_cannot_be_checkpointed_runs_on(
    pods: Pods, reason: str, options: tuple[str, ...]
) -> None:
    job = pods.python(CALL + OBSTACLES[reason] + "\n" + COUNT, options=options)
    job.await_lines(20)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            job.dump()
        assert refused.value.reason == reason, refused.value
        assert job.agent.call("status")["state"] == "Running"
        assert_counted(job.await_lines(20))
        assert [file.name for file in (job.pod.images / job.cut).iterdir()] == ["dump.log"]


TRANSIENT = """
import select, socket, sys
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print("waiting", flush=True)
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.sigwait([signal.SIGUSR1])
accepted, _ = server.accept()
print("accepted", flush=True)
while True:
    client.sendall(b"x")
    assert accepted.recv(1) == b"x"
    print("echo", flush=True)
"""


def test_what_passes_can_be_tried_again(pods: Pods) -> None:
    job = pods.python(TRANSIENT)
    job.await_line("waiting")
    with pytest.raises(Refused):
        job.dump()
    while "accepted" not in job.lines():
        job.agent.call("signal", signal=10)
    job.await_lines(3)
    job.move()
    job.await_lines(3)
