"""What the chart tells the operator, and what it refuses to take for a configuration."""

import pytest

from ergosphere.controller.config import ConfigError, read
from ergosphere.workload.settings import StoreCache, StoreVolume

LEAST = {"ERGO_AGENT_IMAGE": "agent:1"}


def test_the_least_that_it_takes() -> None:
    pods = read(LEAST).pods
    assert pods.store_url == "file:///ergosphere/store"
    assert (pods.store_volume, pods.store_cache, pods.store_secret, pods.store_key_secret) == (
        None,
        None,
        "",
        "",
    )
    assert pods.user_namespaces
    assert not pods.store_shared


def test_a_bucket_with_all_that_belongs_to_it() -> None:
    told = {
        "ERGO_STORE_URL": "s3://bucket/fleet",
        "ERGO_STORE_SECRET": "credentials",
        "ERGO_STORE_KEY_SECRET": "key",
        "ERGO_STORE_SHARED": "true",
        "ERGO_STORE_CACHE_HOSTPATH": "/var/cache/ergosphere",
        "ERGO_STORE_CACHE_GIB": "16",
    }
    pods = read(LEAST | told).pods
    assert (pods.store_url, pods.store_secret, pods.store_key_secret) == (
        "s3://bucket/fleet",
        "credentials",
        "key",
    )
    assert pods.store_shared
    assert pods.store_cache == StoreCache("/var/cache/ergosphere", 16 << 30)


def test_a_directory_on_a_volume() -> None:
    assert read(LEAST | {"ERGO_STORE_PVC": "shared"}).pods.store_volume == StoreVolume(claim="shared")


def test_what_the_agent_is_pulled_with_and_may_use() -> None:
    told = {
        "ERGO_AGENT_PULL_SECRETS": '[{"name": "fleet"}, {"name": "other"}]',
        "ERGO_AGENT_RESOURCES": '{"requests": {"cpu": 0.5}, "limits": {"memory": "512Mi"}}',
    }
    pods = read(LEAST | told).pods
    assert pods.pull_secrets == ("fleet", "other")
    assert pods.agent_resources == {"requests": {"cpu": 0.5}, "limits": {"memory": "512Mi"}}


def test_the_agent_asks_for_little_unless_nothing_is_asked_for_on_purpose() -> None:
    assert read(LEAST).pods.agent_resources == {"requests": {"cpu": "50m", "memory": "96Mi"}}
    assert read(LEAST | {"ERGO_AGENT_RESOURCES": "{}"}).pods.agent_resources == {}


def test_tiers_come_as_their_specs_with_names() -> None:
    (gold,) = read(LEAST | {"ERGO_TIERS": '[{"name": "gold", "gpuFraction": "0.5", "order": 3}]'}).tiers
    assert (gold["kind"], gold["metadata"], gold["spec"]) == (
        "ServiceTier",
        {"name": "gold"},
        {"gpuFraction": "0.5", "order": 3},
    )


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"ERGO_AGENT_IMAGE": ""}, "ERGO_AGENT_IMAGE"),
        ({"ERGO_STORE_HOSTPATH": "/a", "ERGO_STORE_PVC": "b"}, "exclude each other"),
        ({"ERGO_STORE_SHARED": "perhaps"}, "ERGO_STORE_SHARED must be true or false"),
        ({"ERGO_STORE_CACHE_HOSTPATH": "/c", "ERGO_STORE_CACHE_GIB": "0"}, "ERGO_STORE_CACHE_GIB"),
        ({"ERGO_STORE_CACHE_HOSTPATH": "/c", "ERGO_STORE_CACHE_GIB": "much"}, "whole number of GiB"),
        ({"ERGO_LEASE_SECONDS": "0"}, "ERGO_LEASE_SECONDS"),
        ({"ERGO_NETWORK_CIDR": "10.0.0.0/30"}, "ERGO_NETWORK_CIDR"),
        ({"ERGO_AGENT_PULL_SECRETS": "fleet"}, "ERGO_AGENT_PULL_SECRETS must be JSON"),
        ({"ERGO_AGENT_RESOURCES": '{"limit": {}}'}, "ERGO_AGENT_RESOURCES must be JSON.*limit"),
        ({"ERGO_TIERS": "gold"}, "ERGO_TIERS must be a JSON list of tiers"),
        ({"ERGO_TIERS": '{"name": "gold"}'}, "ERGO_TIERS must be a JSON list of tiers: .*each with a name"),
        ({"ERGO_TIERS": '[{"gpuFraction": "0.5"}]'}, "each with a name"),
        ({"ERGO_TIERS": '[{"name": "gold", "gpuFraction": "2"}]'}, "gpuFraction"),
    ],
)
def test_what_it_cannot_work_with_is_refused_by_name(told: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read(LEAST | told)
