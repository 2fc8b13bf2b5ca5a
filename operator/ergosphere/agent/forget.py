"""Deleting checkpoints' data from the store, and then what no checkpoint needs any more."""

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence

from ergosphere.agent.storage import open_store
from ergosphere.checkpoints import CheckpointId, Invalid, Store, StoreError

log = logging.getLogger(__name__)


def forget(environment: Mapping[str, str], checkpoints: Sequence[str]) -> int:
    """Delete the checkpoints from the store at ERGO_STORE and collect. Returns the exit status.

    A checkpoint that is not there is a success, so the command can be repeated after any interruption.
    """
    try:
        names = [str(CheckpointId.parse(name)) for name in checkpoints]
        asyncio.run(_forget(open_store(_url(environment), environment), names))
    except Invalid as error:
        print(f"ergosphere.agent forget: {error}", file=sys.stderr)
        return 2
    except StoreError as error:
        log.error("the store failed", extra={"fields": {"reason": error.reason, "error": str(error)}})
        return 1
    return 0


def _url(environment: Mapping[str, str]) -> str:
    if url := environment.get("ERGO_STORE"):
        return url
    raise Invalid("ERGO_STORE must be the URL of the checkpoint store")


async def _forget(store: Store, checkpoints: Sequence[str]) -> None:
    for checkpoint in checkpoints:
        await store.delete(checkpoint)
        log.info("deleted", extra={"fields": {"checkpoint": checkpoint}})
    collected = await store.collect()
    log.info("collected", extra={"fields": {"packs": collected.packs, "bytes": collected.bytes}})
