"""What jobs that are gone have left behind: objects, processes, mounts, devices, half checkpoints."""

import json
from typing import Any

from scenario.assassin import delete_now
from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, WORKER_IMAGE
from scenario.store_damage import store_path

_KINDS = "trainingjobs,checkpoints,pods,secrets,poddisruptionbudgets,services"

# On a node: what names a pod that is not among those given, and what the namespace has in the store.
_SEARCH = """
import json, os, pathlib, re, sys
pods, namespace = {*json.loads(sys.argv[1])}, sys.argv[2]
own = pathlib.Path("/proc/self/cgroup").read_text()
uid = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f-_]{27})")
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        for found in uid.findall((folder / "cgroup").read_text()):
            if found.replace("_", "-") not in pods and found not in own:
                print("process", (folder / "cmdline").read_bytes()[:80])
                break
    except (FileNotFoundError, ProcessLookupError):
        pass
for line in pathlib.Path("/proc/1/mountinfo").read_text().splitlines():
    for found in re.findall(r"/pods/([0-9a-f-]{36})/", line):
        if found not in pods and found not in own:
            print("mount", line.split()[4])
for link in os.listdir("/sys/class/net"):
    if link.startswith("ergo") and not link[4:].isdigit():
        print("device", link)
for kind in ("packs", "uploads", "condemned", "unfinished"):
    for path in pathlib.Path("/store/v1", namespace, kind).rglob("*"):
        if path.is_file():
            print("stored", path)
"""


def leftovers(kubectl: Kubectl, namespace: str) -> list[str]:
    """What is left in a namespace whose jobs were deleted, and of all pods that are gone; best nothing."""
    objects = kubectl.run("get", _KINDS, "-n", namespace, "-o", "name").split()
    return objects + [
        f"{node}: {line}" for node in kubectl.worker_nodes() for line in _on(kubectl, node, namespace)
    ]


def _on(kubectl: Kubectl, node: str, namespace: str) -> list[str]:
    name = f"search-{node}"
    delete_now(kubectl, OPERATOR_NAMESPACE, name)
    uids = kubectl.run("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}").split()
    kubectl.apply(_pod(name, node, [json.dumps(uids), namespace], store_path(kubectl)))
    waits = ("wait", "pod", name, "-n", OPERATOR_NAMESPACE, "--timeout=60s")
    kubectl.run(*waits, "--for=jsonpath={.status.phase}=Succeeded")
    found = kubectl.run("logs", "-n", OPERATOR_NAMESPACE, name).splitlines()
    delete_now(kubectl, OPERATOR_NAMESPACE, name)
    return found


def _pod(name: str, node: str, arguments: list[str], store: str) -> dict[str, Any]:
    container = {
        "name": "search",
        "image": WORKER_IMAGE,
        "command": ["python3", "-c", _SEARCH, *arguments],
        "securityContext": {"privileged": True, "runAsUser": 0},
        "volumeMounts": [{"name": "store", "mountPath": "/store"}],
    }
    spec = {
        "hostPID": True,
        "hostNetwork": True,
        "restartPolicy": "Never",
        # Its mount would be found, of a pod that was made after the others were counted.
        "automountServiceAccountToken": False,
        "nodeName": node,
        "containers": [container],
        "volumes": [{"name": "store", "hostPath": {"path": store}}],
    }
    meta = {"name": name, "namespace": OPERATOR_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
