"""Opening the store that the environment names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ergosphere.checkpoints import Store


def open_store(url: str, environment: Mapping[str, str]) -> "Store":
    """Open the store at `url`. Raises StoreError for an unusable URL.

    A bucket's credentials are environment variables under their usual names (`AWS_…`, `GOOGLE_…`, `AZURE_…`),
    which the backend reads by itself; AWS_ALLOW_HTTP=true lets it do without TLS.
    """
    from ergosphere.checkpoints import Store

    return Store.open(url, options={"allow_http": environment.get("AWS_ALLOW_HTTP", "")})
