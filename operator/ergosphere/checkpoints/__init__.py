"""The checkpoint store: memory images, each page stored once, under manifests that are written last.

A checkpoint exists exactly when its manifest does. `docs/checkpoint-format.md` describes what is stored.
"""

from ergosphere.checkpoints.errors import (
    Corrupt,
    Denied,
    Full,
    Invalid,
    Missing,
    Refused,
    StoreError,
    Unavailable,
)
from ergosphere.checkpoints.inspect import MappingShares, ProcessShares, RankShares, Shares
from ergosphere.checkpoints.manifest import Manifest, RankEntry
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.store import Collected, Fetched, Saved, Store

__all__ = [
    "CheckpointId",
    "Collected",
    "Corrupt",
    "Denied",
    "Fetched",
    "Full",
    "Invalid",
    "Manifest",
    "MappingShares",
    "Missing",
    "ProcessShares",
    "RankEntry",
    "RankShares",
    "Refused",
    "Saved",
    "Shares",
    "Store",
    "StoreError",
    "Unavailable",
]
