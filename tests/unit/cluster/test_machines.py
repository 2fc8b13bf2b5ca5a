"""What the machines of a cluster are told to run."""

import base64
import json
import ssl
import tomllib
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from cluster.embedded import controlplane, node
from cluster.embedded.addresses import Addresses
from cluster.embedded.certificates import Authority, kubeconfig
from cluster.embedded.services import Plan, Software
from cluster.provider import default_nodes

ADDRESSES = Addresses(0)
NODES = default_nodes(3)
MODULES = ("kubernetes", "etcd", "containerd", "runc", "cni", "pause")
SOFTWARE = Software.of({name: Path(f"/cache/bin/{name}-1") for name in MODULES})


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def second(authority: Authority) -> Plan:
    return node.plan(ADDRESSES, NODES, NODES[1], "/session/ergosphere-dev/node-2", authority, SOFTWARE)


def argv(plan: Plan, name: str) -> list[str]:
    return next(service["argv"] for service in plan.services if service["name"] == name)


def test_a_node_routes_to_the_pods_of_every_other_node(second: Plan) -> None:
    routes = [command for command in second.network if command.startswith("route add 10.240.6")]
    assert routes == ["route add 10.240.65.0/24 via 10.240.0.11", "route add 10.240.67.0/24 via 10.240.0.13"]


def test_a_kubelet_knows_its_name_address_zone_and_cgroup(second: Plan) -> None:
    options = argv(second, "kubelet")
    assert {"--hostname-override=node-2", "--node-ip=10.240.0.12"} <= set(options)
    assert "--node-labels=topology.kubernetes.io/zone=a,e2e.ergosphere.dev/gpus=4" in options
    assert json.loads(second.files["kubelet.json"])["cgroupRoot"] == "/session/ergosphere-dev/node-2"


def test_pods_of_a_node_get_addresses_that_lead_to_it(second: Plan) -> None:
    network = json.loads(second.files["cni/10-ergosphere.conflist"])
    assert network["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.240.66.0/24"}]]


def test_containerd_finds_its_runtime_and_the_local_pause_image(second: Plan) -> None:
    plugins = tomllib.loads(second.files["containerd.toml"])["plugins"]
    runtime = plugins["io.containerd.cri.v1.runtime"]
    binary = runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"]
    assert binary == "/run/ergosphere/bin/runc-1/runc"
    assert plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == node.PAUSE_IMAGE


def test_the_kubelet_starts_only_with_its_pause_image_and_an_api_server(second: Plan) -> None:
    after = next(service["after"] for service in second.services if service["name"] == "kubelet")
    assert {"done": "pause"} in after
    assert any(condition.get("url") == "https://10.240.0.2:6443/readyz" for condition in after)


def test_the_api_server_writes_down_what_the_operator_asks_for_and_nothing_else(authority: Authority) -> None:
    plan = controlplane.plan(ADDRESSES, NODES, authority, SOFTWARE)
    options = argv(plan, "kube-apiserver")
    assert "--audit-policy-file=/run/ergosphere/machine/etc/audit.yaml" in options
    assert "--audit-log-path=/run/ergosphere/machine/audit/audit.log" in options
    *rules, otherwise = yaml.safe_load(plan.files["audit.yaml"])["rules"]
    assert rules == [{"level": "Metadata", "users": ["system:serviceaccount:ergosphere-system:ergosphere"]}]
    assert otherwise == {"level": "None"}


def test_the_api_servers_certificate_covers_its_address_and_its_service(authority: Authority) -> None:
    plan = controlplane.plan(ADDRESSES, NODES, authority, SOFTWARE)
    certificate = x509.load_pem_x509_certificate(plan.files["serving.crt"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert {ADDRESSES.control, ADDRESSES.kubernetes_service} <= addresses
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))


def test_no_machine_holds_another_ones_credentials(authority: Authority, second: Plan) -> None:
    control = controlplane.plan(ADDRESSES, NODES, authority, SOFTWARE)
    shared = set(control.files.values()) & set(second.files.values())
    assert shared == {authority.certificate}


def test_a_kubeconfig_carries_its_credentials(authority: Authority) -> None:
    pair = authority.issue("admin", ("system:masters",))
    document = json.loads(kubeconfig("dev", ADDRESSES.server, authority.certificate, pair))
    trusted = base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    ssl.create_default_context(cadata=trusted)
    certificate = base64.b64decode(document["users"][0]["user"]["client-certificate-data"])
    subject = x509.load_pem_x509_certificate(certificate).subject.rfc4514_string()
    assert subject == "CN=admin,O=system:masters"


def test_by_default_the_third_node_is_in_another_zone() -> None:
    assert [(spec.name, spec.zone, spec.gpus) for spec in NODES] == [
        ("node-1", "a", 4),
        ("node-2", "a", 4),
        ("node-3", "b", 4),
    ]
