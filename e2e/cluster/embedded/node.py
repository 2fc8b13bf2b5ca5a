"""A node's machine: containerd, the kubelet and kube-proxy, and what they are configured with."""

import json
from collections.abc import Sequence
from typing import Any

from cluster.embedded.addresses import Addresses
from cluster.embedded.certificates import Authority, kubeconfig
from cluster.embedded.services import ETC, Plan, Software, api_ready, flags
from cluster.gpus import LABEL
from cluster.image_store import CONTAINERD
from cluster.provider import NodeSpec

PAUSE_IMAGE = "ergosphere.dev/pause:1"


def plan(
    addresses: Addresses,
    nodes: Sequence[NodeSpec],
    node: NodeSpec,
    cgroup: str,
    authority: Authority,
    software: Software,
) -> Plan:
    """Describe a node's machine. `cgroup` is the machine's own, relative to each hierarchy. Makes keys."""
    ordinal = nodes.index(node) + 1
    return Plan(
        files=_files(addresses, node, ordinal, cgroup, authority, software),
        network=network(addresses, ordinal, len(nodes)),
        services=_services(addresses, node, ordinal, software),
        binds={"/var/lib/kubelet": "kubelet", "/var/lib/containerd": "containerd"},
    )


def network(addresses: Addresses, ordinal: int, nodes: int) -> list[str]:
    """Give the `ip` commands of a node: its address, and the way to the pods of every other node."""
    routes = addresses.pod_routes(other for other in range(1, nodes + 1) if other != ordinal)
    return [
        "link set lo up",
        f"address add {addresses.node(ordinal)}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {addresses.host}",
        *(f"route add {route}" for route in routes),
    ]


def _files(
    addresses: Addresses, node: NodeSpec, ordinal: int, cgroup: str, authority: Authority, software: Software
) -> dict[str, str]:
    kubelet = authority.issue(f"system:node:{node.name}", ("system:nodes",))
    proxy = authority.issue("system:kube-proxy")
    return {
        "ca.crt": authority.certificate,
        "kubelet.kubeconfig": kubeconfig("kubelet", addresses.server, authority.certificate, kubelet),
        "kube-proxy.kubeconfig": kubeconfig("kube-proxy", addresses.server, authority.certificate, proxy),
        "containerd.toml": containerd_config(software),
        "cni/10-ergosphere.conflist": json.dumps(cni_config(addresses.node_pods(ordinal)), indent=2),
        "kubelet.json": json.dumps(kubelet_config(cgroup), indent=2),
        "kube-proxy.json": json.dumps(proxy_config(addresses, node.name), indent=2),
    }


def containerd_config(software: Software) -> str:
    """Configure containerd for a machine without CAP_SYS_RESOURCE, AppArmor or a registry."""
    return f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]

[grpc]
address = "{CONTAINERD}"

[plugins."io.containerd.metadata.v1.bolt"]
no_sync = true

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{software.directories["cni"]}"]
conf_dir = "{ETC}/cni"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{software.program("runc", "runc")}"
SystemdCgroup = false
"""


def cni_config(subnet: str) -> dict[str, Any]:
    """Give each pod a routed cable to its node. Leases end with the machine's power, as the pods do."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": subnet}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": ipam}
    return {"cniVersion": "1.0.0", "name": "ergosphere", "plugins": [plugin]}


def kubelet_config(cgroup: str) -> dict[str, Any]:
    """Configure a kubelet that shares its kernel, collects no image and evicts nothing for disk."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": f"{ETC}/ca.crt"}},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "enforceNodeAllocatable": ["none"],
        "failCgroupV1": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "nodeStatusUpdateFrequency": "4s",
        "nodeLeaseDurationSeconds": 20,
        "oomScoreAdj": 0,
        "resolvConf": "",
        "serializeImagePulls": False,
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
    }


def proxy_config(addresses: Addresses, node: str) -> dict[str, Any]:
    """Configure kube-proxy; the conntrack limits stay as they are, they belong to the whole machine."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": addresses.pods,
        "clientConnection": {"kubeconfig": f"{ETC}/kube-proxy.kubeconfig"},
        "conntrack": {"maxPerCore": 0, "min": 0},
        "hostnameOverride": node,
        "oomScoreAdj": 0,
    }


def _services(addresses: Addresses, node: NodeSpec, ordinal: int, software: Software) -> list[dict[str, Any]]:
    containerd = flags(software.program("containerd", "containerd"), config=f"{ETC}/containerd.toml")
    ctr = [software.program("containerd", "ctr"), f"--address={CONTAINERD}", "--namespace=k8s.io"]
    pause = [*ctr, "images", "import", software.program("pause", "pause.tar")]
    kubelet = flags(
        software.program("kubernetes", "kubelet"),
        config=f"{ETC}/kubelet.json",
        kubeconfig=f"{ETC}/kubelet.kubeconfig",
        hostname_override=node.name,
        node_ip=addresses.node(ordinal),
        node_labels=f"topology.kubernetes.io/zone={node.zone},{LABEL}={node.gpus}",
    )
    proxy = flags(software.program("kubernetes", "kube-proxy"), config=f"{ETC}/kube-proxy.json")
    ready = api_ready(addresses.server)
    return [
        {"name": "containerd", "argv": containerd},
        {"name": "pause", "argv": pause, "once": True, "after": [{"socket": CONTAINERD}]},
        {"name": "kubelet", "argv": kubelet, "after": [{"done": "pause"}, ready]},
        {"name": "kube-proxy", "argv": proxy, "after": [ready]},
    ]
