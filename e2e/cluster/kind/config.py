"""The configuration that kind gets: e2e/kind.yaml, with the nodes asked for and what the machine needs."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cluster import audit
from cluster.gpus import LABEL
from cluster.kind.record import Record
from cluster.paths import REPOSITORY
from cluster.provider import NodeSpec

TEMPLATE = REPOSITORY / "e2e" / "kind.yaml"
SHARED = "/var/lib/ergosphere"
# On the control plane's node.
POLICY = "/etc/kubernetes/audit/policy.yaml"
AUDIT = "/var/log/kubernetes/audit"
CAP_SYS_RESOURCE = 24


@dataclass(frozen=True)
class Settings:
    """What a machine or a node image asks for beyond e2e/kind.yaml."""

    networking: Mapping[str, Any] = field(default_factory=dict)
    kubeadm: Sequence[Mapping[str, Any]] = ()
    containerd: Sequence[str] = ()

    def __add__(self, other: "Settings") -> "Settings":
        """Ask for both."""
        return Settings(
            {**self.networking, **other.networking},
            (*self.kubeadm, *other.kubeadm),
            (*self.containerd, *other.containerd),
        )


# The kubelet refuses cgroup v1 unless told otherwise.
CGROUP_V1 = Settings(kubeadm=[{"kind": "KubeletConfiguration", "failCgroupV1": False}])
# Without the capability nothing may make the kernel spare a process that runs out of memory.
NO_SYS_RESOURCE = Settings(
    containerd=['[plugins."io.containerd.grpc.v1.cri"]\nrestrict_oom_score_adj = true\n']
)


def of_machine(cgroup_version: str, process_status: str) -> Settings:
    """Tell what a machine needs, from the engine's cgroup version and the text of a /proc/PID/status."""
    bounds = next(line for line in process_status.splitlines() if line.startswith("CapBnd:"))
    capable = int(bounds.split()[1], 16) >> CAP_SYS_RESOURCE & 1
    return (CGROUP_V1 if cgroup_version == "1" else Settings()) + (Settings() if capable else NO_SYS_RESOURCE)


def render(record: Record, settings: Settings, template: Path = TEMPLATE) -> str:
    """Give the configuration for `kind create cluster`."""
    config = yaml.safe_load(template.read_text())
    control, *workers = config["nodes"]
    patterns = [*workers, *[workers[-1]] * len(record.nodes)][: len(record.nodes)]
    nodes = [_worker(pattern, spec) for pattern, spec in zip(patterns, record.nodes, strict=True)]
    mount = {"hostPath": str(record.shared), "containerPath": SHARED}
    config["nodes"] = [{**deepcopy(node), "extraMounts": [mount]} for node in (control, *nodes)]
    policy = {"hostPath": str(record.audit_policy), "containerPath": POLICY, "readOnly": True}
    config["nodes"][0]["extraMounts"].append(policy)
    config["networking"] = {**config.get("networking", {}), **settings.networking}
    config["kubeadmConfigPatches"] = [
        *config.get("kubeadmConfigPatches", []),
        *(yaml.safe_dump(dict(patch)) for patch in (_audited(), *settings.kubeadm)),
    ]
    config["containerdConfigPatches"] = [*config.get("containerdConfigPatches", []), *settings.containerd]
    return yaml.safe_dump(config, sort_keys=False)


def _audited() -> dict[str, Any]:
    """Have the API server keep an audit log: its pod sees the policy, and writes to the node."""
    policy, log = str(Path(POLICY).parent), AUDIT
    flags = audit.flags(POLICY, AUDIT)
    api_server = {
        "extraArgs": [{"name": name, "value": value} for name, value in flags.items()],
        "extraVolumes": [
            {"name": "audit-policy", "hostPath": policy, "mountPath": policy, "readOnly": True},
            {"name": "audit-log", "hostPath": log, "mountPath": log, "pathType": "DirectoryOrCreate"},
        ],
    }
    return {"kind": "ClusterConfiguration", "apiServer": api_server}


def _worker(pattern: Mapping[str, Any], spec: NodeSpec) -> dict[str, Any]:
    """Describe a worker: Kubernetes knows it by the name asked for, not by its container's."""
    naming = {"kind": "JoinConfiguration", "nodeRegistration": {"name": spec.name}}
    return {
        **pattern,
        "labels": {"topology.kubernetes.io/zone": spec.zone, LABEL: str(spec.gpus)},
        "kubeadmConfigPatches": [yaml.safe_dump(naming)],
    }
