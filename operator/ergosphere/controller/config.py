"""The operator's configuration, from the environment that the chart sets."""

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from ergosphere.api.meta import first_problem
from ergosphere.api.training_job_spec import MAX_WORKERS
from ergosphere.workload.settings import PodSettings, StoreCache, StoreVolume, default_resources

from . import tiers
from .kube import Object

_Value = TypeVar("_Value")
_SECRETS = TypeAdapter(list[dict[Literal["name"], str]])
_RESOURCES = TypeAdapter(dict[Literal["requests", "limits"], dict[str, str | int | float]])


class ConfigError(Exception):
    """A variable is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Config:
    """`namespace` is the operator's own. `lease_seconds` is how long agents hold a cut unconfirmed.

    `tiers` are the ServiceTiers to create where there is none of the name.
    """

    namespace: str
    identity: str
    pods: PodSettings
    lease_seconds: float
    topology_levels: tuple[str, ...]
    tiers: tuple[Object, ...]


def read(environment: Mapping[str, str] = os.environ) -> Config:
    """Read ERGO_* variables; raises ConfigError."""
    return Config(
        namespace=environment.get("ERGO_NAMESPACE", "ergosphere-system"),
        identity=f"{environment.get('HOSTNAME', socket.gethostname())}-{os.getpid()}",
        pods=_pods(environment),
        lease_seconds=_seconds(environment, "ERGO_LEASE_SECONDS", 15.0),
        topology_levels=topology_levels(environment),
        tiers=_tiers(environment.get("ERGO_TIERS", "[]")),
    )


def topology_levels(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The node labels that are topology levels, outermost first."""
    return _list(environment.get("ERGO_TOPOLOGY_LEVELS", "topology.kubernetes.io/zone"))


def _pods(environment: Mapping[str, str]) -> PodSettings:
    image = environment.get("ERGO_AGENT_IMAGE")
    if not image:
        raise ConfigError("ERGO_AGENT_IMAGE must name the agent's image")
    return PodSettings(
        agent_image=image,
        store_url=environment.get("ERGO_STORE_URL", "file:///ergosphere/store"),
        store_volume=_volume(environment),
        store_secret=environment.get("ERGO_STORE_SECRET", ""),
        store_key_secret=environment.get("ERGO_STORE_KEY_SECRET", ""),
        store_shared=_flag(environment, "ERGO_STORE_SHARED", default=False),
        store_cache=_cache(environment),
        user_namespaces=_flag(environment, "ERGO_USER_NAMESPACES", default=True),
        image_pull_policy=environment.get("ERGO_IMAGE_PULL_POLICY", "IfNotPresent"),
        network_cidr=_network(environment.get("ERGO_NETWORK_CIDR") or "100.64.0.0/16"),
        pull_secrets=_pull_secrets(environment),
        agent_resources=_resources(environment),
    )


def _pull_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    secrets = _json(environment, "ERGO_AGENT_PULL_SECRETS", _SECRETS)
    return tuple(secret["name"] for secret in secrets or () if secret)


def _resources(environment: Mapping[str, str]) -> dict[str, object]:
    found = _json(environment, "ERGO_AGENT_RESOURCES", _RESOURCES)
    return default_resources() if found is None else {str(kind): value for kind, value in found.items()}


def _json(environment: Mapping[str, str], name: str, kind: TypeAdapter[_Value]) -> _Value | None:
    text = environment.get(name)
    try:
        return kind.validate_json(text) if text else None
    except ValidationError as error:
        raise ConfigError(f"{name} must be JSON as the chart writes it: {first_problem(error)}") from error


def _volume(environment: Mapping[str, str]) -> StoreVolume | None:
    path, claim = environment.get("ERGO_STORE_HOSTPATH", ""), environment.get("ERGO_STORE_PVC", "")
    if path and claim:
        raise ConfigError("ERGO_STORE_HOSTPATH and ERGO_STORE_PVC exclude each other: set one")
    return StoreVolume(host_path=path, claim=claim) if path or claim else None


def _cache(environment: Mapping[str, str]) -> StoreCache | None:
    path, size = environment.get("ERGO_STORE_CACHE_HOSTPATH"), environment.get("ERGO_STORE_CACHE_GIB", "8")
    if not path:
        return None
    if not size.isdecimal() or int(size) == 0:
        raise ConfigError("ERGO_STORE_CACHE_GIB must be a whole number of GiB, 1 or more")
    return StoreCache(path, int(size) << 30)


def _tiers(text: str) -> tuple[Object, ...]:
    try:
        return tiers.parsed(text)
    except ValueError as error:
        raise ConfigError(f"ERGO_TIERS must be a JSON list of tiers: {error}") from error


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(f"ERGO_NETWORK_CIDR must be a range such as 100.64.0.0/16: {error}") from error
    if network.num_addresses < MAX_WORKERS + 2:
        raise ConfigError(f"ERGO_NETWORK_CIDR must hold {MAX_WORKERS} workers: /21 or larger for IPv4")
    return str(network)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(environment.get(name) or default)
    except ValueError:
        value = -1.0
    if not 1 <= value <= 600:
        raise ConfigError(f"{name} must be a number of seconds from 1 to 600")
    return value


def _flag(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise ConfigError(f"{name} must be true or false")
    return text == "true"


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
