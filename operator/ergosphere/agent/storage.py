"""Opening the store that the settings name."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ergosphere.agent.settings import StoreSettings

if TYPE_CHECKING:
    from ergosphere.checkpoints import Store


def open_store(settings: StoreSettings, environment: Mapping[str, str]) -> "Store":
    """Open the store. Raises StoreError for an unusable URL or key.

    A bucket's credentials are environment variables under their usual names (`AWS_…`, `GOOGLE_…`, `AZURE_…`),
    which the backend reads by itself; AWS_ALLOW_HTTP=true lets it do without TLS.
    """
    from ergosphere.checkpoints import Store

    return Store.open(
        settings.store,
        options={"allow_http": environment.get("AWS_ALLOW_HTTP", "")},
        key=_key(settings.store_key_file),
        shared=settings.store_shared,
        cache=settings.store_cache,
        cache_bytes=settings.store_cache_bytes,
    )


def _key(file: Path | None) -> bytes | None:
    from ergosphere.checkpoints import Invalid

    try:
        return file.read_bytes() if file else None
    except OSError as error:
        raise Invalid(f"the store's encryption key cannot be read: {error.strerror}") from error
