"""The operator's own pod, for the tests that take it away."""

from dataclasses import dataclass
from typing import Any

from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, OPERATOR_SELECTOR, WORKER_IMAGE
from scenario.waiting import until

# A process cannot kill the first one of its own PID namespace, so it is done from the node's. In every
# kind of cgroup a process's path holds its pod's uid, with dashes or underscores.
_KILL = """
import os, pathlib, signal, sys
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        of_pod = sys.argv[1] in (folder / "cgroup").read_text().replace("_", "-")
        if of_pod and b"ergosphere.controller" in (folder / "cmdline").read_bytes():
            os.kill(int(folder.name), signal.SIGKILL)
            print(folder.name)
    except (FileNotFoundError, ProcessLookupError):
        pass
"""


@dataclass(frozen=True, slots=True)
class Assassin:
    """A pod beside the operator's, ready to kill it at a moment of the test's choice."""

    kubectl: Kubectl
    name: str
    victim: str
    victim_uid: str

    def strike(self) -> None:
        """Kill the operator's process without a farewell, and delete its pod.

        Without the pod the next one starts at once, not after the kubelet's growing delay.

        Raises:
            AssertionError: there was no such process.
        """
        killed = self.kubectl.run(
            *("exec", "-n", OPERATOR_NAMESPACE, self.name, "--", "python3", "-c", _KILL, self.victim_uid)
        )
        self.kubectl.run(
            *("delete", "pod", "-n", OPERATOR_NAMESPACE, self.victim, self.name),
            *("--grace-period=0", "--force", "--wait=false"),
        )
        assert killed, "the operator's process was not found"


def assassin(kubectl: Kubectl) -> Assassin:
    """Make one, for the operator that runs now or as soon as one is ready."""
    victim = until("an operator to be ready", lambda: _ready(kubectl))
    uid = victim["metadata"]["uid"]
    found = Assassin(kubectl, f"assassin-{uid}", victim["metadata"]["name"], uid)
    kubectl.apply(_pod(found.name, victim["spec"]["nodeName"]))
    kubectl.run("wait", "pod", found.name, "-n", OPERATOR_NAMESPACE, "--for=condition=Ready", "--timeout=60s")
    return found


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
