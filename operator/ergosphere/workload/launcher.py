"""The user's container, started under the launcher. The image stays as it is."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

BIN_MOUNT = "/ergosphere/bin"
RUN_MOUNT = "/ergosphere/run"
PROBE_MOUNT = "/ergosphere/probe"
PROBE_FILE = f"{PROBE_MOUNT}/user.json"
LAUNCHER = f"{BIN_MOUNT}/launcher"
TERMINATION_LOG = "/dev/termination-log"

# What dump and restore need inside the pod's user namespace; docs/capabilities.md says what fails
# without each. The launcher drops all of them before the user's code runs.
CAPABILITIES = (
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "KILL",
    "NET_ADMIN",
    "NET_RAW",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_PTRACE",
    "SYS_TIME",
)

# What starting, asking and storing a program takes that saves its own state: nothing is dumped or restored.
SAVING_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_PTRACE",
)

DEFAULT_GRACE_SECONDS = 30


def wrapped(
    container: Mapping[str, Any],
    pod_spec: Mapping[str, Any],
    image: str,
    environment: Sequence[Mapping[str, str]],
    saving: Sequence[str],
    job: str,
) -> dict[str, Any]:
    """The main container with its command under the launcher.

    It starts as root of the pod, and the program as the user that the probe finds. `environment` yields to
    variables of the same name in the template. `saving` are the launcher's options for a program that saves
    its own state. `job` is the UID of the job, whose files on volumes no other job's restore may cut back.
    """
    result = deepcopy(dict(container))
    result["image"] = image
    options = ["--user-file", PROBE_FILE, *_grace(pod_spec), *_carried(container, pod_spec), *saving]
    options += ["--job", job]
    result["command"] = [LAUNCHER, "run", *options, "--", *container["command"]]
    result["env"] = _variables(container, environment)
    result["volumeMounts"] = [*container.get("volumeMounts", ()), *mounts(read_only_bin=True)]
    own_security = container.get("securityContext") or {}
    result["securityContext"] = _security(own_security, SAVING_CAPABILITIES if saving else CAPABILITIES)
    # Where the launcher leaves word of how the program ended.
    result |= {"terminationMessagePath": TERMINATION_LOG, "terminationMessagePolicy": "File"}
    if not saving:
        # The runtime's default filter forbids personality(), and CRIU cannot dump a filter.
        result["securityContext"]["seccompProfile"] = {"type": "Unconfined"}
    return result


def probe(
    container: Mapping[str, Any],
    image: str,
    environment: Sequence[Mapping[str, str]],
    resources: Mapping[str, Any],
) -> dict[str, Any]:
    """An init container that finds as whom the program is to run: user, groups and home.

    They come from the image, the template and the pod's volumes; only a container that is started with
    all of them has them. `environment` is as for the main container.
    """
    security = container.get("securityContext") or {}
    # The template may set HOME, itself or from a ConfigMap.
    variables = {"env": _variables(container, environment), "envFrom": container.get("envFrom", [])}
    return {
        "name": "ergosphere-probe",
        "image": image,
        "imagePullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
        "command": [LAUNCHER, "probe", PROBE_FILE],
        **variables,
        "resources": dict(resources),
        "securityContext": {**security, "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False},
        "volumeMounts": [
            {"name": "ergosphere-bin", "mountPath": BIN_MOUNT, "readOnly": True},
            {"name": "ergosphere-probe", "mountPath": PROBE_MOUNT},
        ],
    }


def mounts(*, read_only_bin: bool) -> list[dict[str, Any]]:
    """The volumes that launcher and agent share."""
    return [
        {"name": "ergosphere-bin", "mountPath": BIN_MOUNT, "readOnly": read_only_bin},
        {"name": "ergosphere-run", "mountPath": RUN_MOUNT},
        {"name": "ergosphere-probe", "mountPath": PROBE_MOUNT, "readOnly": read_only_bin},
    ]


def _variables(container: Mapping[str, Any], environment: Sequence[Mapping[str, str]]) -> list[Any]:
    own = {variable["name"] for variable in container.get("env", ())}
    return [*(v for v in environment if v["name"] not in own), *container.get("env", ())]


def _grace(pod_spec: Mapping[str, Any]) -> list[str]:
    return ["--grace", str(pod_spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))]


def _carried(container: Mapping[str, Any], pod_spec: Mapping[str, Any]) -> list[str]:
    """The mounts whose files move with the program: volumes that are made with each pod. Others stay.

    Those that it may only read are among them, for images from when their files were stored as well; the
    launcher sees that they are read-only, and leaves them to the init container that fills them.
    """
    own = {v["name"] for v in pod_spec.get("volumes", ()) if {"emptyDir", "ephemeral"} & v.keys()}
    paths = [m["mountPath"] for m in container.get("volumeMounts", ()) if m["name"] in own]
    return [argument for path in paths for argument in ("--carry", path.rstrip("/"))]


def _security(own: Mapping[str, Any], capabilities: Sequence[str]) -> dict[str, Any]:
    kept = {key: value for key, value in own.items() if key not in ("runAsGroup", "runAsNonRoot")}
    return {
        **kept,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": True,
        "capabilities": {"drop": ["ALL"], "add": list(capabilities)},
    }
