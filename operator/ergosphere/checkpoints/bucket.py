"""Objects in S3, Google Cloud Storage or Azure Blob Storage, through the `obstore` library."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import MemoryStore, from_url

from ergosphere.checkpoints.blobs import Data, Entry
from ergosphere.checkpoints.errors import Corrupt, Denied, Full, Invalid, Missing, StoreError, Unavailable

_PART_BYTES = 8 << 20
_PARTS_AT_ONCE = 3
_BACKOFF = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10), "base": 2}
_CONNECT = timedelta(seconds=5)
_DENIED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
_FULL = ("InsufficientStorage", "QuotaExceeded", "507 ", "StorageFull")


def _translate(key: str, error: Exception) -> StoreError:
    if isinstance(error, exceptions.NotFoundError | FileNotFoundError):
        return Missing(f"{key}: not in the store")
    if isinstance(error, _DENIED):
        return Denied(f"{key}: the store refuses the credential")
    if any(sign in str(error) for sign in _NO_BUCKET):
        return Missing("there is no such bucket or container")
    if any(sign in str(error) for sign in _FULL):
        return Full(f"{key}: the store has no space or quota left")
    return Unavailable(f"{key}: the store did not answer as it should ({type(error).__name__})")


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.BaseError, OSError) as error:
        # The library's messages may quote request headers, so they stay out of ours.
        raise _translate(key, error) from None


class Bucket:
    """`Blobs` in a bucket.

    A request that fails or is not answered within `timeout` is repeated, with backoff, for up to `patience`.

    `options` are the settings of the library's `S3Store`, `GCSStore` or `AzureStore`, and `allow_http`;
    what they lack is taken from the environment's usual variables.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, str],
        patience: timedelta = timedelta(minutes=2),
        timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        config: Any = {name: value for name, value in options.items() if name != "allow_http"}
        allow_http = options.get("allow_http") == "true"
        client: Any = {"timeout": timeout, "connect_timeout": _CONNECT, "allow_http": allow_http}
        retry: Any = {"max_retries": 20, "retry_timeout": patience, "backoff": _BACKOFF}
        try:
            if url.startswith("memory://"):
                self._store: Any = MemoryStore()
            else:
                self._store = from_url(url, config=config, client_options=client, retry_config=retry)
        except exceptions.UnknownConfigurationKeyError:
            raise Invalid("the store's Secret has a key that this kind of store does not know") from None
        except (exceptions.BaseError, ValueError):
            raise Invalid(
                "the store's URL and the credentials in its Secret are not enough to open it"
            ) from None

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        """See `Blobs.put`."""
        with _translated(key):
            obstore.put(self._store, key, iter(parts), chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)

    def create(self, key: str, data: bytes) -> bool:
        """See `Blobs.create`."""
        with _translated(key):
            try:
                obstore.put(self._store, key, data, mode="create", use_multipart=False)
            except (exceptions.AlreadyExistsError, FileExistsError):
                return False
        return True

    def get(self, key: str) -> bytes:
        """See `Blobs.get`."""
        with _translated(key):
            return bytes(obstore.get(self._store, key).bytes())

    def get_range(self, key: str, start: int, length: int) -> Data:
        """See `Blobs.get_range`."""
        with _translated(key):
            data = memoryview(obstore.get_range(self._store, key, start=start, length=length))
        if len(data) != length:
            raise Corrupt(f"{key}: ends before byte {start + length}")
        return data

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Blobs.list`."""
        with _translated(prefix):
            for batch in obstore.list(self._store, prefix, chunk_size=1000):
                for meta in batch:
                    yield Entry(meta["path"], meta["size"], meta["last_modified"].timestamp())

    def delete(self, key: str) -> None:
        """See `Blobs.delete`."""
        with _translated(key):
            try:
                obstore.delete(self._store, key)
            except (exceptions.NotFoundError, FileNotFoundError):
                return

    def distrust(self, key: str) -> bool:
        """See `Blobs.distrust`; there is but one copy."""
        return False
