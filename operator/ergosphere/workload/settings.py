"""What the administrator decides about every worker pod."""

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class PodSettings:
    """The agent's image, the store, whether pods have a user namespace, and the addresses of job networks.

    `store_secret` (credentials, as environment variables) and `store_key_secret` (the encryption key, as an
    entry `key`) name Secrets in the job's own namespace. `store_shared` lets namespaces share pages.
    `network_cidr` must not overlap with the addresses of nodes, pods and services.
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
