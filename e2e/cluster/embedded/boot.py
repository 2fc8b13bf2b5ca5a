"""Starts one machine: `python -m cluster.embedded.boot SPEC`.

A machine is a process tree with namespaces and cgroups of its own. This process makes them, plugs the
machine's cable into the cluster's bridge, and leaves once the machine's PID 1 (`machine_init`) takes over.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from cluster.embedded import kernel, machine_init

NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC


def join(cgroups: list[str]) -> None:
    """Move this process into the machine's cgroups, so that whatever it starts can be found there."""
    for cgroup in cgroups:
        (Path(cgroup) / "cgroup.procs").write_text(str(os.getpid()))


def plug_in(port: str, bridge: str) -> None:
    """Connect the machine to the bridge; its end of the cable is `eth0`.

    This process's children are in the machine's PID namespace, where the machine's first process is number 1.
    """
    commands = [
        f"link add {port} type veth peer name eth0 netns 1",
        f"link set {port} master {bridge} up",
    ]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def main(path: str) -> None:
    """Boot the machine that the file describes; returns when its PID 1 may run."""
    spec = json.loads(Path(path).read_text())
    join(spec["cgroups"])
    kernel.unshare(kernel.CLONE_NEWPID)
    ready, made = os.pipe()
    plugged, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        os.setsid()
        kernel.unshare(NAMESPACES)
        os.write(made, b"1")
        if os.read(plugged, 1) != b"1":
            os._exit(1)
        machine_init.run(spec)
    os.close(made)
    if os.read(ready, 1) != b"1":
        raise SystemExit("the machine's first process died")
    Path(spec["pid_file"]).write_text(str(pid))
    plug_in(spec["port"], spec["bridge"])
    os.write(go, b"1")


if __name__ == "__main__":
    main(sys.argv[1])
