"""The machines' cgroups: one per hierarchy, made below the caller's own memory limit."""

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cluster.embedded import ancestors
from cluster.embedded.processes import kill_listed
from cluster.provider import ClusterError

DEADLINE_SECONDS = 20.0
POLL_SECONDS = 0.02
SYSTEM = "system"  # the leaf for a machine's own services; the kubelet makes the pods' beside it


def hierarchies(mountinfo: str) -> list[Path]:
    """List the mount points of the cgroup hierarchies: those of version 1 first, then the unified one."""
    v1, v2 = [], []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, point = after.split()[0], Path(before.split()[4])
        if kind == "cgroup":
            v1.append(point)
        elif kind == "cgroup2":
            v2.append(point)
    return [*v1, *v2]


def own_path(cgroup: str) -> str:
    """Read the memory cgroup of a process from its /proc/PID/cgroup; `/` where memory has no v1 hierarchy."""
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return path
    return "/"


def plan(cluster: str) -> tuple[str, ...]:
    """Give the cgroups that a cluster would have, one per hierarchy, all at the same path below its root."""
    below = own_path(Path("/proc/self/cgroup").read_text()).strip("/")
    points = hierarchies(Path("/proc/self/mountinfo").read_text())
    return tuple(str(point / below / f"ergosphere-{cluster}") for point in points)


def relative(cgroups: Iterable[str]) -> str:
    """Give the cgroups' common path as the kubelet wants it, relative to each hierarchy's root."""
    points = hierarchies(Path("/proc/self/mountinfo").read_text())
    for cgroup in cgroups:
        for point in points:
            if Path(cgroup).is_relative_to(point):
                return "/" + str(Path(cgroup).relative_to(point))
    raise ClusterError("the cluster's cgroups are in no mounted hierarchy; delete the cluster")


def make(cgroups: Iterable[str], machines: Iterable[str]) -> None:
    """Make the machines' cgroups, and the parents that are missing."""
    names = list(machines)
    for cgroup in map(Path, cgroups):
        groups = [cgroup / name for name in names]
        for path in [*ancestors.note_missing(cgroup), cgroup, *groups]:
            _make_one(path)
            _pass_controllers_on(path)
        for path in groups:
            _make_one(path / SYSTEM)


def _make_one(path: Path) -> None:
    path.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):
        # An empty cpuset (version 1) takes no process.
        if (path / name).exists() and not (path / name).read_text().strip():
            (path / name).write_text((path.parent / name).read_text())


def _pass_controllers_on(path: Path) -> None:
    available = path / "cgroup.controllers"
    if available.exists():
        wanted = " ".join(f"+{name}" for name in available.read_text().split())
        (path / "cgroup.subtree_control").write_text(wanted)


def freeze(cgroups: Iterable[Path], frozen: bool) -> None:
    """Stop or continue every process of a machine; returns when the kernel has done so."""
    for cgroup in cgroups:
        if (cgroup / "freezer.state").exists():
            (cgroup / "freezer.state").write_text("FROZEN" if frozen else "THAWED")
        elif (cgroup / "cgroup.freeze").exists():
            (cgroup / "cgroup.freeze").write_text("1" if frozen else "0")
        else:
            continue
        _await(partial(_settled, cgroup, frozen), f"{cgroup} to change its state")
        return


def _settled(cgroup: Path, frozen: bool) -> bool:
    return is_frozen([cgroup]) == frozen


def is_frozen(cgroups: Iterable[Path]) -> bool:
    """Tell whether a machine's cgroups are frozen."""
    for cgroup in cgroups:
        if (cgroup / "freezer.state").exists():
            return (cgroup / "freezer.state").read_text().strip() == "FROZEN"
        if (cgroup / "cgroup.events").exists():
            return "frozen 1" in (cgroup / "cgroup.events").read_text()
    return False


def kill(cgroups: Iterable[Path]) -> None:
    """Kill every process in a machine's cgroups; returns when none is left. Raises ClusterError."""
    groups = list(cgroups)
    for group in groups:  # a frozen process does not die, and a machine may have frozen some of its own
        for directory, _, _ in os.walk(group):
            freeze([Path(directory)], frozen=False)
    _await(partial(kill_listed, groups, DEADLINE_SECONDS), "killed processes to end")


def remove(cgroups: Iterable[str]) -> None:
    """Kill what is in a cluster's cgroups, then remove them and the parents that nothing else uses."""
    groups = [Path(cgroup) for cgroup in cgroups]
    kill(groups)
    for group in groups:
        _await(partial(_remove_tree, group), f"{group} to become empty")
    ancestors.remove_unused()


def _remove_tree(cgroup: Path) -> bool:
    kill_listed([cgroup], DEADLINE_SECONDS)
    for directory, _, _ in os.walk(cgroup, topdown=False):
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            continue
        except OSError:
            return False  # the kernel takes a moment to let go of processes that ended
    return True


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"gave up waiting for {what}")
        time.sleep(POLL_SECONDS)
