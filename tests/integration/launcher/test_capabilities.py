"""What the launcher's container must hold: without any one of these, some program cannot start or move."""

import pytest
from tests.integration.launcher.agent import Refused
from tests.integration.launcher.pods import Pods
from tests.integration.launcher.rootfs import CAPABILITIES, Template
from tests.integration.launcher.test_moves import AS_ROOT, AS_USER, COUNT
from tests.integration.launcher.test_programs import CLOCKS, LOCAL_TCP

TWO_NAMES = """
import os, time
os.makedirs("/tmp/deep")
half = open("/tmp/half", "w+")
os.link("/tmp/half", "/tmp/deep/other-half")
os.unlink("/tmp/half")
while True:
    assert os.path.samestat(os.stat("/tmp/deep/other-half"), os.fstat(half.fileno()))
    print("same", flush=True)
    time.sleep(0.01)
"""

OWN_FILES = """
import os, time
os.makedirs("/tmp/deep/er")
os.chmod("/tmp/deep/er", 0o750)
os.utime("/tmp/deep", (1, 10**9))
gone = open("/tmp/gone", "w+")
os.unlink("/tmp/gone")
while True:
    assert os.stat("/tmp/deep/er").st_mode & 0o777 == 0o750
    print("there", flush=True)
    time.sleep(0.01)
"""

# A program that needs it, and as whom it runs.
PROGRAMS = {
    "CHOWN": (COUNT, AS_USER),
    "DAC_OVERRIDE": (COUNT, AS_ROOT),
    "DAC_READ_SEARCH": (TWO_NAMES, AS_ROOT),
    "FOWNER": (OWN_FILES, AS_USER),
    "KILL": (COUNT, AS_USER),
    "NET_ADMIN": (LOCAL_TCP, AS_ROOT),
    "NET_RAW": (LOCAL_TCP, AS_ROOT),
    "SETGID": (COUNT, AS_ROOT),
    "SETPCAP": (COUNT, AS_ROOT),
    "SETUID": (COUNT, AS_USER),
    "SYS_ADMIN": (CLOCKS, AS_ROOT),
    "SYS_TIME": (CLOCKS, AS_ROOT),
}


def move(pods: Pods, capability: str, held: frozenset[str]) -> None:
    """Move a capability's program from a node that has just started to one that has been up for months."""
    code, options = PROGRAMS[capability]
    job = pods.python(code, options=options, template=Template(capabilities=held))
    job.await_lines(3)
    job.dump()
    job.leave()
    job.arrive(uptime=10**7)
    job.agent.call("thaw")
    job.await_lines(3)


@pytest.mark.parametrize("capability", PROGRAMS)
def test_without_it_the_program_does_not_move(pods: Pods, capability: str) -> None:
    with pytest.raises((Refused, AssertionError)):
        move(pods, capability, frozenset(CAPABILITIES) - {capability})


@pytest.mark.parametrize("capability", PROGRAMS)
def test_with_all_of_them_the_same_program_moves(pods: Pods, capability: str) -> None:
    move(pods, capability, frozenset(CAPABILITIES))
