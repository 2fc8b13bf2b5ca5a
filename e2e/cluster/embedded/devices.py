"""Declares GPUs on nodes without: `python -m cluster.embedded.devices SERVER CREDENTIALS NODE=COUNT...`.

A kubelet that starts resets the extended resources that no device plugin stands behind, so this runs for as
long as the cluster does and writes them back.
"""

import sys
import time
from pathlib import Path
from typing import Any

from cluster.embedded.api import Api

RESOURCE = "nvidia.com/gpu"
WATCH_SECONDS = 300
RETRY_SECONDS = 0.5


def correction(node: dict[str, Any], declared: dict[str, int]) -> dict[str, Any] | None:
    """Give the merge patch of the node's status that declares its GPUs, or none if it does already."""
    wanted = str(declared.get(node["metadata"]["name"], 0))
    status = node.get("status", {})
    fields = ("capacity", "allocatable")
    if wanted == "0" or all(status.get(field, {}).get(RESOURCE) == wanted for field in fields):
        return None
    return {"status": {field: {RESOURCE: wanted} for field in fields}}


def keep_declared(api: Api, declared: dict[str, int]) -> None:
    """Correct every node that is seen, until the watch ends."""
    for node in api.watch("/api/v1/nodes", WATCH_SECONDS):
        patch = correction(node, declared) if node.get("kind") == "Node" else None
        if patch is not None:
            api.merge(f"/api/v1/nodes/{node['metadata']['name']}/status", patch)


def main(server: str, credentials: str, *declarations: str) -> None:
    """Keep the GPUs declared for ever, through every outage of the API server."""
    declared = {name: int(count) for name, count in (text.split("=") for text in declarations)}
    while True:
        try:
            keep_declared(Api(server, Path(credentials)), declared)
        except OSError as error:
            print(f"trying again: {error}", file=sys.stderr, flush=True)
            time.sleep(RETRY_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
