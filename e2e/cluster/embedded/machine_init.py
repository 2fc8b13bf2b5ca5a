"""PID 1 of a machine: sets up its mounts and network, then runs its services and reaps."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any, NoReturn

from cluster.embedded import kernel
from cluster.embedded.supervisor import Supervisor

MACHINE = "/run/ergosphere/machine"
# What a kubelet sets on its machine (k8s.io/component-helpers/node/util/sysctl).
KUBELET_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def bind(source: str, target: str) -> None:
    """Make a directory appear at a second place, made if missing."""
    Path(target).mkdir(parents=True, exist_ok=True)
    kernel.mount(source, target, flags=kernel.MS_BIND)


def mount_all(directory: str, binds: dict[str, str]) -> None:
    """Give the machine its own /proc, /run and /var; what it writes to /var stays in its directory.

    Every path is opened before /run and /var change under it.
    """
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    own = os.open(directory, os.O_PATH)
    sources = {target: os.open(source, os.O_PATH) for target, source in binds.items()}
    kernel.mount("proc", "/proc", "proc")
    kernel.mount("tmpfs", "/run", "tmpfs", options="mode=755")
    bind(f"/proc/self/fd/{own}", MACHINE)
    for name in ("var", "var-work"):
        Path(MACHINE, name).mkdir(exist_ok=True)
    overlay = f"lowerdir=/var,upperdir={MACHINE}/var,workdir={MACHINE}/var-work"
    kernel.mount("overlay", "/var", "overlay", options=overlay)
    for target, source in sources.items():
        bind(f"/proc/self/fd/{source}", target)
        os.close(source)
    os.close(own)
    cover_sysctls()
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_SHARED)


def cover_sysctls() -> None:
    """Show the kubelet the sysctls it wants, so that it does not write those of the whole host.

    A second, complete /proc is kept: user namespaces may mount /proc only where a complete one is seen.
    """
    Path("/run/ergosphere/proc").mkdir()
    kernel.mount("proc", "/run/ergosphere/proc", "proc")
    for name, value in KUBELET_SYSCTLS.items():
        shown = Path("/run/ergosphere/sysctl", name)
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        kernel.mount(str(shown), f"/proc/sys/{name}", flags=kernel.MS_BIND)


def connect(hostname: str, commands: list[str]) -> None:
    """Name the machine and configure its network with `ip` commands; it forwards packets."""
    socket.sethostname(hostname)
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def redirect_output(path: str) -> None:
    """Let go of the starter's terminal: output goes to a file."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def run(spec: dict[str, Any]) -> NoReturn:
    """Be the machine's PID 1 for as long as it lives."""
    redirect_output(spec["log"])
    mount_all(spec["directory"], spec["binds"])
    connect(spec["hostname"], spec["network"])
    Supervisor(spec["services"], spec["path"], f"{MACHINE}/logs").run()
