"""What a pod is given of the store: the agent all of it, one on an errand the least, the program nothing."""

from typing import Any

from tests.unit.workload.test_pod import built, container

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.workload.collect import collect_pod
from ergosphere.workload.forget import forget_pod
from ergosphere.workload.settings import PodSettings, StoreCache

BUCKET = PodSettings(
    "agent:1",
    "s3://bucket/fleet",
    store_secret="credentials",
    store_key_secret="key",
    store_shared=True,
    store_cache=StoreCache("/var/cache/ergosphere", 16 << 30),
)
CHECKPOINT = Checkpoint.parse(
    {
        "metadata": {"name": "c", "namespace": "ns", "uid": "u-1"},
        "spec": {"jobName": "j"},
        "status": {"id": "ns/j/u-1"},
    }
)


def variables(one: dict[str, Any]) -> dict[str, str]:
    return {v["name"]: v["value"] for v in one["env"] if "value" in v}


def mounted(one: dict[str, Any]) -> set[str]:
    return {mount["name"] for mount in one["volumeMounts"]}


def test_the_agent_has_the_credentials_the_key_and_the_cache() -> None:
    pod = built(settings=BUCKET)
    agent = container(pod, "ergosphere-agent")
    assert agent["envFrom"] == [{"secretRef": {"name": "credentials"}}]
    assert {"ergosphere-store-key", "ergosphere-cache"} <= mounted(agent)
    told = variables(agent)
    assert (told["ERGO_STORE"], told["ERGO_STORE_SHARED"]) == ("s3://bucket/fleet", "true")
    assert told["ERGO_STORE_KEY_FILE"] == "/ergosphere/store-key/key"
    assert (told["ERGO_STORE_CACHE"], told["ERGO_STORE_CACHE_BYTES"]) == ("/ergosphere/cache", str(16 << 30))
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["ergosphere-store-key"]["secret"]["secretName"] == "key"
    assert volumes["ergosphere-store-key"]["secret"]["defaultMode"] == 0o400
    assert volumes["ergosphere-cache"]["hostPath"]["path"] == "/var/cache/ergosphere"


def test_the_program_has_none_of_them() -> None:
    main = container(built(settings=BUCKET), "main")
    assert not {"ergosphere-store-key", "ergosphere-cache", "ergosphere-store"} & mounted(main)
    assert "envFrom" not in main
    assert not [name for name in variables(main) if name.startswith("ERGO_STORE")]


def test_a_pod_on_an_errand_can_read_no_page() -> None:
    pods = (forget_pod(CHECKPOINT, 0, BUCKET), collect_pod("ns", BUCKET))
    for pod, arguments in zip(pods, (["forget", "ns/j/u-1"], ["collect", "ns"]), strict=True):
        (only,) = pod["spec"]["containers"]
        assert only["args"] == arguments
        assert only["envFrom"] == [{"secretRef": {"name": "credentials"}}]
        assert variables(only) == {"ERGO_STORE": "s3://bucket/fleet", "ERGO_STORE_SHARED": "true"}
        assert pod["spec"]["volumes"] == []
        assert pod["spec"]["hostUsers"] is False
        assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
