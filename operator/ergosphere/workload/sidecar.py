"""The agent: a native sidecar that starts before the user's container and outlives it."""

from collections.abc import Mapping
from typing import Any

from ergosphere.api.agent import AGENT_PORT

from . import store
from .launcher import BIN_MOUNT, RUN_MOUNT, mounts
from .settings import PodSettings

IMAGE_BIN = "/opt/ergosphere/bin"
TLS_MOUNT = "/ergosphere/tls"
AGENT = "ergosphere-agent"


def agent(settings: PodSettings, environment: Mapping[str, str], *, gang: bool) -> dict[str, Any]:
    """The agent's container. Its post-start hook puts the launcher in place before the user's starts."""
    tls = {"name": "ergosphere-tls", "mountPath": TLS_MOUNT, "readOnly": True}
    own_mounts = [tls, *store.mounts(settings), *store.page_mounts(settings)]
    return {
        "name": AGENT,
        "image": settings.agent_image,
        "imagePullPolicy": settings.image_pull_policy,
        "restartPolicy": "Always",
        "env": [*_environment(environment), *_addresses()],
        "ports": [{"name": "ergo-agent", "containerPort": AGENT_PORT}],
        "lifecycle": {
            "postStart": {
                "exec": {"command": [f"{IMAGE_BIN}/launcher", "install", IMAGE_BIN, BIN_MOUNT, RUN_MOUNT]}
            }
        },
        "resources": dict(settings.agent_resources),
        "securityContext": {
            "runAsUser": 0,
            "runAsGroup": 0,
            "runAsNonRoot": False,
            "readOnlyRootFilesystem": not gang,
            "capabilities": {"drop": ["ALL"], "add": agent_capabilities()},
        },
        "volumeMounts": [*mounts(read_only_bin=False), *own_mounts],
        **store.credentials(settings),
    }


def volumes(settings: PodSettings, secret: str) -> list[dict[str, Any]]:
    """The pod's volumes that only Ergosphere uses."""
    return [
        {"name": "ergosphere-bin", "emptyDir": {"sizeLimit": "128Mi"}},
        {"name": "ergosphere-run", "emptyDir": {}},
        {"name": "ergosphere-probe", "emptyDir": {"sizeLimit": "1Mi"}},
        {"name": "ergosphere-tls", "secret": {"secretName": secret, "defaultMode": 0o400}},
        *store.volumes(settings),
        *store.page_volumes(settings),
    ]


def agent_capabilities() -> list[str]:
    """What the agent holds inside the pod's user namespace; docs/capabilities.md has them too."""
    # The run directory belongs to a user whom nothing runs as. NET_ADMIN makes the job network's device, and
    # puts the addresses of earlier pods in place: without them open connections cannot be restored.
    return ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_ADMIN"]


def _environment(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _addresses() -> list[dict[str, Any]]:
    return [
        {"name": "ERGO_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "ERGO_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]
