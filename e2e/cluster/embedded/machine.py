"""A machine from outside: writing its files, booting it, finding it, running programs on it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cluster import binaries
from cluster.embedded import bridge, cgroups
from cluster.embedded.processes import listed
from cluster.embedded.record import Record
from cluster.embedded.services import BINARIES, SHARED, Plan, Software
from cluster.provider import ClusterError, Condition

SOURCES = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


def install(record: Record, machine: str, plan: Plan, software: Software) -> None:
    """Write everything the machine boots from into its directory."""
    directory = record.machine_directory(machine)
    for name, text in plan.files.items():
        path = directory / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
    binds = {BINARIES: str(binaries.root()), SHARED: str(record.directory / "shared")}
    binds |= {target: str(directory / source) for target, source in plan.binds.items()}
    for source in binds.values():
        Path(source).mkdir(parents=True, exist_ok=True)
    spec = {
        "hostname": machine,
        "directory": str(directory),
        "log": str(directory / "init.log"),
        "pid_file": str(directory / "pid"),
        "cgroups": [str(path / cgroups.SYSTEM) for path in record.machine_cgroups(machine)],
        "port": record.addresses.port(record.ordinal(machine)),
        "bridge": record.addresses.bridge,
        "binds": binds,
        "network": plan.network,
        "services": plan.services,
        "path": software.path,
    }
    (directory / "spec.json").write_text(json.dumps(spec, indent=2))


def boot(record: Record, machine: str) -> None:
    """Start a machine that is not running; returns when its PID 1 runs. Raises ClusterError."""
    spec = record.machine_directory(machine) / "spec.json"
    command = [PYTHON, "-m", "cluster.embedded.boot", str(spec)]
    result = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if result.returncode != 0:
        raise ClusterError(f"{machine} did not start: {result.stderr.strip()}")


def power_off(record: Record, machine: str) -> None:
    """Kill everything on a machine at once; returns when nothing of it runs.

    The cable goes first: a machine without power does not take leave of its peers, as dying sockets do.
    """
    bridge.unplug(record.addresses.port(record.ordinal(machine)))
    cgroups.kill(record.machine_cgroups(machine))


def pid(record: Record, machine: str) -> int:
    """Find the host's PID of a machine's PID 1. Raises ClusterError if the machine is not running.

    The number on disk may belong to a stranger by now: only a process in the machine's cgroups counts.
    """
    try:
        number = int((record.machine_directory(machine) / "pid").read_text())
    except (FileNotFoundError, ValueError):
        number = 0
    if not any(number in listed(cgroup / cgroups.SYSTEM) for cgroup in record.machine_cgroups(machine)):
        raise ClusterError(f"{machine} of cluster {record.name} is not running")
    return number


def condition(record: Record, machine: str) -> Condition:
    """Tell whether a machine runs, is frozen or is off."""
    groups = record.machine_cgroups(machine)
    try:
        pid(record, machine)
    except ClusterError:
        return "Stopped"
    return "Paused" if cgroups.is_frozen(groups) else "Running"


def run(record: Record, machine: str, command: Sequence[str], stdin: IO[bytes] | None = None) -> str:
    """Run a program on a machine and return its output. Raises ClusterError with its errors."""
    target = ["nsenter", f"--target={pid(record, machine)}", "--mount", "--net", "--uts", "--ipc", "--pid"]
    path = json.loads((record.machine_directory(machine) / "spec.json").read_text())["path"]
    argv = [*target, "--", *command]
    result = subprocess.run(argv, env={"PATH": path}, stdin=stdin or subprocess.DEVNULL, capture_output=True)
    if result.returncode != 0:
        raise ClusterError(
            f"{command[0]} on {machine} failed: {result.stderr.decode(errors='replace').strip()}"
        )
    return result.stdout.decode()
