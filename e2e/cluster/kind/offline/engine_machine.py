"""The machine that the Docker engine runs on: one of the embedded provider's, with its own Debian in it."""

from pathlib import Path
from typing import Any

from cluster.embedded import cgroups, cluster, controlplane, machine, record
from cluster.embedded.record import CONTROL, Record
from cluster.embedded.services import MACHINE, Plan, Software, flags

NAME = "kind-engine"
ROOT = "/run/ergosphere/engine"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Makes the Debian the root of the machine, for all that runs on it, and lets go of the host's files.
MOVE_IN = f"""
mount --make-rprivate /
mount -t proc proc {ROOT}/proc
mount -t sysfs sysfs {ROOT}/sys
mount --rbind /sys/fs/cgroup {ROOT}/sys/fs/cgroup
mount --rbind /dev {ROOT}/dev
mount -t tmpfs tmpfs {ROOT}/tmp
mount -t tmpfs tmpfs {ROOT}/run
mkdir --parents {ROOT}{MACHINE}
mount --bind {MACHINE} {ROOT}{MACHINE}
cd {ROOT}
pivot_root . mnt
umount --lazy mnt
"""


def plan(made: Record, debian: Path, programs: Path) -> Plan:
    """Describe the machine. The engine sees the clusters' files and kind where the host has them."""
    below = cgroups.relative(made.cgroups)
    dockerd = flags(
        "dockerd",
        host="unix:///run/docker.sock",
        cgroup_parent=f"{below}/{CONTROL}/docker",
        # Whoever asks for names gets a prompt refusal: there is no other network to ask.
        dns=made.addresses.control,
    )
    services: list[dict[str, Any]] = [
        {"name": "move-in", "argv": ["sh", "-euc", MOVE_IN], "once": True},
        {"name": "docker", "argv": inside(dockerd), "after": [{"done": "move-in"}]},
    ]
    binds = {
        ROOT: str(debian),
        f"{ROOT}/var/lib/docker": "docker",
        f"{ROOT}{clusters(made)}": str(clusters(made)),
        f"{ROOT}{programs}": str(programs),
    }
    network = [line for line in controlplane.network(made.addresses, 0) if "default" not in line]
    return Plan(files={}, network=network, services=services, binds=binds)


def clusters(made: Record) -> Path:
    """Give the directory of the files of the engine's clusters."""
    return made.machine_directory(CONTROL) / "clusters"


def inside(argv: list[str]) -> list[str]:
    """Give the command line that runs a program on the machine, with nothing of the host's environment."""
    return ["env", "--ignore-environment", "--chdir=/", f"PATH={PATH}", "HOME=/root", *argv]


def boot(debian: Path, programs: Path) -> Record:
    """Make the machine and start it. Raises ClusterError."""
    made = cluster.begin(NAME, ())
    nothing = Software({})
    machine.install(made, CONTROL, plan(made, debian, programs), nothing)
    cluster.boot(made)
    return made


def running() -> Record | None:
    """Find the machine; none unless it is complete and runs."""
    known = record.read(NAME)
    whole = known is not None and known.phase == "Complete"
    return known if known and whole and machine.condition(known, CONTROL) == "Running" else None


def remove() -> None:
    """Remove the machine, whole or not, with everything that the engine had."""
    known = record.read(NAME)
    if known is not None:
        cluster.unmake(known)
