"""The nodes of a kind cluster from outside: their containers, and programs on them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO

from cluster.gpus import KEEPER
from cluster.image_store import RunOnNode
from cluster.kind import engine as engines
from cluster.kind.config import Settings, of_machine
from cluster.kind.engine import Engine
from cluster.kind.record import CONTROL, Record
from cluster.provider import Condition

ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
CONDITIONS: dict[str, Condition] = {"running": "Running", "paused": "Paused"}
UNIT = "declare-gpus.service"
KEEPER_UNIT = Path(__file__).with_name(UNIT)


def docker(engine: Engine, *argv: str) -> str:
    """Run `docker`. Raises ClusterError."""
    return engines.run(engine, ["docker", *argv]).strip()


def condition(engine: Engine, container: str) -> Condition:
    """Tell whether a node runs, is frozen or is off; one that is not there is off."""
    listed = docker(engine, "ps", "--all", "--filter", f"name=^{container}$", "--format", "{{.State}}")
    return CONDITIONS.get(listed, "Stopped")


def address(engine: Engine, container: str) -> str:
    """Give a node's address; empty while it is off."""
    return docker(engine, "inspect", "--format", ADDRESS, container)


def _run(engine: Engine, container: str, command: Sequence[str], stdin: IO[bytes] | None = None) -> str:
    return engines.run(engine, ["docker", "exec", "--interactive", container, *command], stdin)


def on(engine: Engine, container: str) -> RunOnNode:
    """Give what runs programs on a node."""
    return partial(_run, engine, container)


def kill(engine: Engine, container: str) -> None:
    """Kill everything on a node at once; its network first, or the dying programs' connections tell of it."""
    found = condition(engine, container)
    if found == "Running":
        _run(engine, container, ["ip", "link", "set", "eth0", "down"])
    if found != "Stopped":
        docker(engine, "kill", container)


def keep_gpus_declared(engine: Engine, record: Record) -> None:
    """Start what declares the nodes' GPUs, on the control plane, and again whenever that starts."""
    control = record.containers[CONTROL]
    for source, path in ((KEEPER, "/kind/declare-gpus.sh"), (KEEPER_UNIT, f"/etc/systemd/system/{UNIT}")):
        with source.open("rb") as file:
            _run(engine, control, ["cp", "/dev/stdin", path], file)
    _run(engine, control, ["systemctl", "enable", "--now", "--quiet", UNIT])


def copy_kubectl(engine: Engine, record: Record) -> None:
    """Take kubectl from the control plane: it is of the cluster's version."""
    command = ["docker", "exec", record.containers[CONTROL], "cat", "/usr/bin/kubectl"]
    engines.save(engine, command, record.kubectl)


def machine_settings(engine: Engine) -> Settings:
    """Find out what the engine's machine needs to be told to kind. Raises ClusterError."""
    version = docker(engine, "info", "--format", "{{.CgroupVersion}}")
    return of_machine(version, engines.run(engine, ["cat", "/proc/self/status"]))
