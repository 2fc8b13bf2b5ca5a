"""Killing processes on the nodes, for the tests that take away what the system is made of."""

from dataclasses import dataclass
from typing import Any

from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, OPERATOR_SELECTOR, WORKER_IMAGE
from scenario.waiting import until

OPERATOR = "ergosphere.controller"
AGENT = "ergosphere.agent"
LAUNCHER = "launcher run"

# A process cannot kill the first one of its own PID namespace, so it is done from the node's. In every
# kind of cgroup a process's path holds its pod's uid, with dashes or underscores.
_KILL = """
import os, pathlib, signal, sys
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        of_pod = sys.argv[1] in (folder / "cgroup").read_text().replace("_", "-")
        if of_pod and sys.argv[2] in (folder / "cmdline").read_bytes().replace(bytes(1), b" ").decode():
            os.kill(int(folder.name), signal.SIGKILL)
            print(folder.name)
    except (FileNotFoundError, ProcessLookupError):
        pass
"""


@dataclass(frozen=True, slots=True)
class Assassin:
    """A pod beside its victim, ready to kill it at a moment of the test's choice."""

    kubectl: Kubectl
    name: str
    victim: dict[str, Any]
    program: str

    def strike(self) -> bool:
        """Kill the victim's program without a farewell, and be gone. Whether there was such a process."""
        uid = self.victim["metadata"]["uid"]
        script = ("python3", "-c", _KILL, uid, self.program)
        killed = self.kubectl.run("exec", "-n", OPERATOR_NAMESPACE, self.name, "--", *script)
        delete_now(self.kubectl, OPERATOR_NAMESPACE, self.name)
        return bool(killed)


def assassin(kubectl: Kubectl, victim: dict[str, Any], program: str) -> Assassin:
    """Make one on the victim's node, for the processes of that pod whose command line holds `program`."""
    metadata = victim["metadata"]
    name = f"assassin-{metadata['uid'][:13]}-{program.split()[0].rpartition('.')[2]}"
    kubectl.apply(_pod(name, victim["spec"]["nodeName"]))
    kubectl.run("wait", "pod", name, "-n", OPERATOR_NAMESPACE, "--for=condition=Ready", "--timeout=60s")
    return Assassin(kubectl, name, victim, program)


def ready_operator(kubectl: Kubectl) -> dict[str, Any]:
    """The pod of an operator that is ready, as soon as there is one."""
    return until("an operator to be ready", lambda: _ready(kubectl))


def kill_operator(killer: Assassin) -> None:
    """Kill the operator, and delete its pod: the next one then starts at once, not after a growing delay.

    Raises:
        AssertionError: there was no such process.
    """
    struck = killer.strike()
    delete_now(killer.kubectl, OPERATOR_NAMESPACE, killer.victim["metadata"]["name"])
    assert struck, "the operator's process was not found"


def delete_now(kubectl: Kubectl, namespace: str, pod: str) -> None:
    """Delete a pod without a grace period and without waiting."""
    kubectl.run(
        *("delete", "pod", "-n", namespace, pod, "--grace-period=0", "--force"),
        *("--wait=false", "--ignore-not-found"),
    )


def _ready(kubectl: Kubectl) -> dict[str, Any] | None:
    for pod in kubectl.list("pods", OPERATOR_NAMESPACE, selector=OPERATOR_SELECTOR):
        conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", ())}
        if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            return pod
    return None


def _pod(name: str, node: str) -> dict[str, Any]:
    container = {
        "name": "assassin",
        "image": WORKER_IMAGE,
        "command": ["sleep", "600"],
        "securityContext": {"privileged": True, "runAsUser": 0},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": OPERATOR_NAMESPACE},
        "spec": {
            "hostPID": True,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "nodeName": node,
            "containers": [container],
        },
    }
