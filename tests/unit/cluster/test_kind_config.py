"""What kind is told about the nodes, and what only some machines need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.kind.config import TEMPLATE, Settings, of_machine, render
from cluster.kind.record import Record
from cluster.provider import NodeSpec, default_nodes

ALL_CAPABILITIES = "Name:\tpython3\nCapBnd:\t000001ffffffffff\nSeccomp:\t0\n"
NO_SYS_RESOURCE = "CapPrm:\t000001fffeffffff\nCapBnd:\t000001fffeffffff\n"


def rendered(*nodes: NodeSpec, settings: Settings | None = None) -> dict[str, Any]:
    record = Record(Path("/state/kind/dev"), 3, nodes)
    return dict(yaml.safe_load(render(record, settings or Settings())))


def patches(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [yaml.safe_load(patch) for patch in config["kubeadmConfigPatches"]]


def test_the_file_itself_is_a_cluster_of_one_control_plane_and_three_workers() -> None:
    roles = [node["role"] for node in yaml.safe_load(TEMPLATE.read_text())["nodes"]]
    assert roles == ["control-plane", "worker", "worker", "worker"]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_there_are_as_many_workers_as_asked_for(count: int) -> None:
    roles = [node["role"] for node in rendered(*default_nodes(count))["nodes"]]
    assert roles == ["control-plane", *["worker"] * count]


def test_a_worker_has_the_name_the_zone_and_the_gpus_asked_for() -> None:
    worker = rendered(NodeSpec("left", "b", 8))["nodes"][1]
    assert worker["labels"] == {"topology.kubernetes.io/zone": "b", "e2e.ergosphere.dev/gpus": "8"}
    (patch,) = worker["kubeadmConfigPatches"]
    assert yaml.safe_load(patch) == {"kind": "JoinConfiguration", "nodeRegistration": {"name": "left"}}


def test_all_nodes_share_one_directory() -> None:
    mounts = [node["extraMounts"] for node in rendered(*default_nodes())["nodes"]]
    shared = {"hostPath": "/state/kind/dev/shared", "containerPath": "/var/lib/ergosphere"}
    assert all(shared in mount for mount in mounts)
    assert mounts[1:] == [[shared]] * 3


def test_the_api_server_sees_its_audit_policy_and_keeps_the_log_on_its_node() -> None:
    config = rendered(*default_nodes())
    (policy,) = [mount for mount in config["nodes"][0]["extraMounts"] if mount.get("readOnly")]
    (server,) = [patch["apiServer"] for patch in patches(config) if "apiServer" in patch]
    flags = {flag["name"]: flag["value"] for flag in server["extraArgs"]}
    volumes = {volume["mountPath"]: volume for volume in server["extraVolumes"]}
    assert policy["hostPath"] == "/state/kind/dev/audit.yaml"
    assert policy["containerPath"] == flags["audit-policy-file"]
    assert volumes[str(Path(flags["audit-policy-file"]).parent)]["readOnly"]
    assert volumes[str(Path(flags["audit-log-path"]).parent)]["pathType"] == "DirectoryOrCreate"
    assert all(volume["hostPath"] == path for path, volume in volumes.items())


def test_a_machine_with_cgroup_2_and_all_capabilities_is_told_nothing() -> None:
    assert of_machine("2", ALL_CAPABILITIES) == Settings()
    told = [patch for patch in patches(rendered(*default_nodes())) if "apiServer" not in patch]
    assert told == patches(yaml.safe_load(TEMPLATE.read_text()))


def test_the_kubelet_is_told_of_cgroup_1_and_containerd_of_a_missing_capability() -> None:
    settings = of_machine("1", NO_SYS_RESOURCE)
    config = rendered(*default_nodes(), settings=settings)
    assert {"kind": "KubeletConfiguration", "failCgroupV1": False} in patches(config)
    assert any("restrict_oom_score_adj = true" in patch for patch in config["containerdConfigPatches"])


def test_settings_of_the_machine_and_of_the_engine_are_both_there() -> None:
    engine = Settings({"podSubnet": "10.203.0.0/16"}, [{"kind": "ClusterConfiguration", "dns": {}}])
    config = rendered(*default_nodes(), settings=of_machine("1", ALL_CAPABILITIES) + engine)
    assert config["networking"] == {"kubeProxyMode": "nftables", "podSubnet": "10.203.0.0/16"}
    added = [patch["kind"] for patch in patches(config)[-2:]]
    assert added == ["KubeletConfiguration", "ClusterConfiguration"]
