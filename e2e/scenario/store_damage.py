"""Harm done to the checkpoint store behind everybody's back."""

from datetime import datetime

from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, RELEASE, WORKER_IMAGE
from scenario.waiting import until

_POD = "store-damage"
_TRUNCATE = (
    "find /store -type f -path '*pack*' -newermt '{moment}' -size +0 "
    '-exec sh -c \'truncate -s $(( $(stat -c %s "$1") / 2 )) "$1" && echo "$1"\' _ {{}} \';\''
)


def store_path(kubectl: Kubectl) -> str:
    """Where the nodes keep the directory store, as the installed operator was told."""
    variable = "{.spec.template.spec.containers[0].env[?(@.name=='ERGO_STORE_HOSTPATH')].value}"
    return kubectl.run("get", "deployment", RELEASE, "-n", OPERATOR_NAMESPACE, "-o", f"jsonpath={variable}")


def truncate_packs_since(kubectl: Kubectl, namespace: str, moment: datetime) -> list[str]:
    """Cut every pack written after `moment` to half its length, and return their paths."""
    command = _TRUNCATE.format(moment=moment.isoformat())
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _POD, "namespace": namespace},
            "spec": {
                "restartPolicy": "Never",
                "volumes": [{"name": "store", "hostPath": {"path": store_path(kubectl)}}],
                "containers": [
                    {
                        "name": "damage",
                        "image": WORKER_IMAGE,
                        "command": ["sh", "-c", command],
                        "securityContext": {"runAsUser": 0},
                        "volumeMounts": [{"name": "store", "mountPath": "/store"}],
                    }
                ],
            },
        }
    )

    def done() -> bool:
        pod = kubectl.get("pod", _POD, namespace)
        assert pod
        assert pod["status"]["phase"] == "Succeeded", pod["status"]
        return True

    until("the store to be damaged", done)
    return kubectl.run("logs", "-n", namespace, _POD).split()
