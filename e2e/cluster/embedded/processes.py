"""The processes in cgroups, and ending them."""

import os
import select
import signal
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path


def listed(cgroup: Path) -> set[int]:
    """List the processes in a cgroup and below it; none where it does not exist."""
    found: set[int] = set()
    for directory, _, _ in os.walk(cgroup):
        try:
            found.update(int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split())
        except FileNotFoundError:
            continue  # removed since it was listed, so nothing is in it
    return found


def kill_listed(cgroups: Iterable[Path], seconds: float) -> bool:
    """Kill what the cgroups list and wait up to some seconds for its end; true when they listed nothing.

    Each process is waited for because a cgroup stops listing a process before that has ended.
    """
    alive: set[int] = set().union(*(listed(cgroup) for cgroup in cgroups))
    with ExitStack() as stack:
        for descriptor in [_kill(pid, stack) for pid in alive]:
            if descriptor is not None:
                ending = select.poll()
                ending.register(descriptor, select.POLLIN)
                ending.poll(seconds * 1000)
    return not alive


def _kill(pid: int, stack: ExitStack) -> int | None:
    """Kill a process and give a descriptor that becomes readable at its end; none if it has ended already."""
    try:
        descriptor = os.pidfd_open(pid)
        stack.callback(os.close, descriptor)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return descriptor
