"""Deleting checkpoints' data from the store, and what no checkpoint needs any more."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence

from ergosphere.agent.settings import InvalidSettings, StoreSettings
from ergosphere.agent.storage import open_store
from ergosphere.checkpoints import CheckpointId, Invalid, Store, StoreError

log = logging.getLogger(__name__)


def forget(environment: Mapping[str, str], checkpoints: Sequence[str]) -> int:
    """Delete the checkpoints from the store at ERGO_STORE and collect. Returns the exit status.

    A checkpoint that is not there is a success, so the command can be repeated after any interruption.
    """
    return _done(environment, lambda store: _forget(store, checkpoints))


def collect(environment: Mapping[str, str], namespace: str) -> int:
    """Remove what none of the namespace's checkpoints needs. Returns the exit status."""
    return _done(environment, lambda store: _collect(store, namespace))


def _done(environment: Mapping[str, str], work: Callable[[Store], Coroutine[None, None, None]]) -> int:
    try:
        asyncio.run(work(open_store(StoreSettings.from_environment(environment), environment)))
    except (Invalid, InvalidSettings) as error:
        print(f"ergosphere.agent: {error}", file=sys.stderr)
        return 2
    except StoreError as error:
        log.error("the store failed", extra={"fields": {"reason": error.reason, "error": str(error)}})
        return 1
    return 0


async def _forget(store: Store, checkpoints: Sequence[str]) -> None:
    wanted = [CheckpointId.parse(checkpoint) for checkpoint in checkpoints]
    for checkpoint in wanted:
        await store.delete(str(checkpoint))
        log.info("deleted", extra={"fields": {"checkpoint": str(checkpoint)}})
    for namespace in sorted({checkpoint.namespace for checkpoint in wanted}):
        await _collect(store, namespace)


async def _collect(store: Store, namespace: str) -> None:
    collected = await store.collect(namespace)
    fields = {"namespace": namespace, "packs": collected.packs, "bytes": collected.bytes}
    log.info("collected", extra={"fields": fields})
