"""The control plane's machine: etcd, the API server, and the two that act on what it stores."""

from collections.abc import Sequence
from typing import Any

from cluster import audit
from cluster.embedded.addresses import Addresses
from cluster.embedded.certificates import Authority, kubeconfig, signing_pair
from cluster.embedded.services import ETC, MACHINE, Plan, Software, api_ready, flags
from cluster.gpus import KEEPER
from cluster.provider import NodeSpec

# Where on the machine the API server's audit log is.
AUDIT = "audit"
API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "127.0.0.1")


def plan(addresses: Addresses, nodes: Sequence[NodeSpec], authority: Authority, software: Software) -> Plan:
    """Describe the control plane's machine. Not pure: it makes keys."""
    return Plan(
        files=_files(addresses, authority),
        network=network(addresses, len(nodes)),
        services=[
            _etcd(software),
            _api_server(addresses, software),
            *_controllers(addresses, software),
            _gpus(addresses, software),
        ],
    )


def network(addresses: Addresses, nodes: int) -> list[str]:
    """Give the `ip` commands of the control plane: it reaches pods itself, so that webhooks need no proxy."""
    routes = addresses.pod_routes(range(1, nodes + 1))
    return [
        "link set lo up",
        f"address add {addresses.control}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {addresses.host}",
        *(f"route add {route}" for route in routes),
    ]


def _files(addresses: Addresses, authority: Authority) -> dict[str, str]:
    names = (*API_NAMES, addresses.control, addresses.kubernetes_service)
    serving = authority.issue("kube-apiserver", names=names)
    kubelet_client = authority.issue("kube-apiserver-kubelet-client", ("system:masters",))
    tokens = signing_pair()
    files = {
        "ca.crt": authority.certificate,
        "serving.crt": serving.certificate,
        "serving.key": serving.key,
        "kubelet-client.crt": kubelet_client.certificate,
        "kubelet-client.key": kubelet_client.key,
        "tokens.pub": tokens.certificate,
        "tokens.key": tokens.key,
        "audit.yaml": audit.POLICY,
    }
    for name in ("kube-controller-manager", "kube-scheduler"):
        pair = authority.issue(f"system:{name}")
        files[f"{name}.kubeconfig"] = kubeconfig(name, addresses.server, authority.certificate, pair)
    return files


def _etcd(software: Software) -> dict[str, Any]:
    argv = flags(
        software.program("etcd", "etcd"),
        data_dir=f"{MACHINE}/etcd",
        listen_client_urls="http://127.0.0.1:2379",
        advertise_client_urls="http://127.0.0.1:2379",
        listen_peer_urls="http://127.0.0.1:2380",
        unsafe_no_fsync="true",
    )
    return {"name": "etcd", "argv": argv}


def _api_server(addresses: Addresses, software: Software) -> dict[str, Any]:
    argv = flags(
        software.program("kubernetes", "kube-apiserver"),
        etcd_servers="http://127.0.0.1:2379",
        bind_address=addresses.control,
        advertise_address=addresses.control,
        secure_port=6443,
        service_cluster_ip_range=addresses.services,
        client_ca_file=f"{ETC}/ca.crt",
        tls_cert_file=f"{ETC}/serving.crt",
        tls_private_key_file=f"{ETC}/serving.key",
        kubelet_client_certificate=f"{ETC}/kubelet-client.crt",
        kubelet_client_key=f"{ETC}/kubelet-client.key",
        kubelet_preferred_address_types="InternalIP",
        service_account_issuer="https://kubernetes.default.svc",
        service_account_key_file=f"{ETC}/tokens.pub",
        service_account_signing_key_file=f"{ETC}/tokens.key",
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        # Webhooks and aggregated APIs are called at their endpoints: no proxy runs on this machine.
        enable_aggregator_routing="true",
        allow_privileged="true",
        profiling="false",
        **audit.flags(f"{ETC}/audit.yaml", f"{MACHINE}/{AUDIT}"),
    )
    return {"name": "kube-apiserver", "argv": argv}


def _controllers(addresses: Addresses, software: Software) -> list[dict[str, Any]]:
    manager = flags(
        software.program("kubernetes", "kube-controller-manager"),
        kubeconfig=f"{ETC}/kube-controller-manager.kubeconfig",
        bind_address="127.0.0.1",
        leader_elect="false",
        use_service_account_credentials="true",
        root_ca_file=f"{ETC}/ca.crt",
        service_account_private_key_file=f"{ETC}/tokens.key",
        # A lost node is noticed in half the usual time; kubelets report twice as often (node.py).
        node_monitor_grace_period="20s",
        node_monitor_period="2s",
        flex_volume_plugin_dir=f"{MACHINE}/volumeplugins",
        profiling="false",
    )
    scheduler = flags(
        software.program("kubernetes", "kube-scheduler"),
        kubeconfig=f"{ETC}/kube-scheduler.kubeconfig",
        bind_address="127.0.0.1",
        leader_elect="false",
        profiling="false",
    )
    after = [api_ready(addresses.server)]
    return [
        {"name": "kube-controller-manager", "argv": manager, "after": after},
        {"name": "kube-scheduler", "argv": scheduler, "after": after},
    ]


def _gpus(addresses: Addresses, software: Software) -> dict[str, Any]:
    kubectl = flags(
        software.program("kubernetes", "kubectl"),
        server=addresses.server,
        certificate_authority=f"{ETC}/ca.crt",
        client_certificate=f"{ETC}/admin.crt",
        client_key=f"{ETC}/admin.key",
        cache_dir="/run/kubectl",
    )
    return {"name": "gpus", "argv": ["sh", str(KEEPER), *kubectl], "after": [api_ready(addresses.server)]}
