"""What the administrator decides about every worker pod."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StoreVolume:
    """The volume under a directory store: exactly one of a path on every node or a claim.

    A claim is looked up in the job's own namespace, as for any pod.
    """

    host_path: str = ""
    claim: str = ""

    def source(self) -> dict[str, object]:
        """The volume source of a pod."""
        if self.claim:
            return {"persistentVolumeClaim": {"claimName": self.claim}}
        return {"hostPath": {"path": self.host_path, "type": "DirectoryOrCreate"}}


@dataclass(frozen=True, slots=True)
class StoreCache:
    """A directory on every node for what its pods lately wrote to the store or read, up to `size_bytes`."""

    host_path: str
    size_bytes: int


def default_resources() -> dict[str, Any]:
    """What the agent asks for where nothing else is said."""
    return {"requests": {"cpu": "50m", "memory": "96Mi"}}


@dataclass(frozen=True, slots=True)
class PodSettings:
    """The agent's image, the store, whether pods have a user namespace, and the addresses of job networks.

    `store_secret` (credentials, as environment variables) and `store_key_secret` (the encryption key, as an
    entry `key`) name Secrets in the job's own namespace. `store_shared` lets namespaces share pages.
    `pull_secrets` name Secrets there too, to pull the agent's image with. `agent_resources` are the requests
    and limits of all containers that are Ergosphere's own. `authority` is a short name of the certificate
    that the agents' are signed with. `network_cidr` must not overlap with the addresses
    of nodes, pods and services.
    """

    agent_image: str
    store_url: str
    store_volume: StoreVolume | None = None
    store_secret: str = ""
    store_key_secret: str = ""
    store_shared: bool = False
    store_cache: StoreCache | None = None
    user_namespaces: bool = True
    image_pull_policy: str = "IfNotPresent"
    network_cidr: str = "100.64.0.0/16"
    pull_secrets: tuple[str, ...] = ()
    agent_resources: Mapping[str, Any] = field(default_factory=default_resources)
    authority: str = ""

    def pull_secrets_with(self, others: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """A pod's imagePullSecrets: the given ones and these, each once."""
        given = list(others)
        named = {secret.get("name") for secret in given}
        return [*given, *({"name": name} for name in self.pull_secrets if name not in named)]
