"""What a container needs to reach the checkpoint store, and what it needs to seal and open pages there."""

from typing import Any

from .settings import PodSettings

STORE_MOUNT = "/ergosphere/store"
_KEY_MOUNT = "/ergosphere/store-key"
_CACHE_MOUNT = "/ergosphere/cache"


def environment(settings: PodSettings) -> dict[str, str]:
    """Where the store is, and whose pages may be one."""
    return {"ERGO_STORE": settings.store_url, "ERGO_STORE_SHARED": str(settings.store_shared).lower()}


def credentials(settings: PodSettings) -> dict[str, Any]:
    """The part of a container that gives it the store's credentials."""
    return {"envFrom": [{"secretRef": {"name": settings.store_secret}}]} if settings.store_secret else {}


def mounts(settings: PodSettings) -> list[dict[str, Any]]:
    """The mount of a directory store."""
    return [{"name": "ergosphere-store", "mountPath": STORE_MOUNT}] if settings.store_volume else []


def volumes(settings: PodSettings) -> list[dict[str, Any]]:
    """The volume of a directory store."""
    return [{"name": "ergosphere-store", **settings.store_volume.source()}] if settings.store_volume else []


def page_environment(settings: PodSettings) -> dict[str, str]:
    """Where the encryption key and the node's cache are."""
    found = {"ERGO_STORE_KEY_FILE": f"{_KEY_MOUNT}/key"} if settings.store_key_secret else {}
    if cache := settings.store_cache:
        found |= {"ERGO_STORE_CACHE": _CACHE_MOUNT, "ERGO_STORE_CACHE_BYTES": str(cache.size_bytes)}
    return found


def page_mounts(settings: PodSettings) -> list[dict[str, Any]]:
    """The mounts of the encryption key and the node's cache."""
    found: list[dict[str, Any]] = []
    if settings.store_key_secret:
        found.append({"name": "ergosphere-store-key", "mountPath": _KEY_MOUNT, "readOnly": True})
    if settings.store_cache:
        found.append({"name": "ergosphere-cache", "mountPath": _CACHE_MOUNT})
    return found


def page_volumes(settings: PodSettings) -> list[dict[str, Any]]:
    """The volumes of the encryption key and the node's cache."""
    found: list[dict[str, Any]] = []
    if name := settings.store_key_secret:
        secret = {"secretName": name, "defaultMode": 0o400, "items": [{"key": "key", "path": "key"}]}
        found.append({"name": "ergosphere-store-key", "secret": secret})
    if cache := settings.store_cache:
        directory = {"path": cache.host_path, "type": "DirectoryOrCreate"}
        found.append({"name": "ergosphere-cache", "hostPath": directory})
    return found
