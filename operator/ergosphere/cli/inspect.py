"""`ergo checkpoint inspect`: what a checkpoint in the store is made of."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ergosphere.checkpoints import Invalid, Missing, RankShares, Shares, Store, StoreError
from ergosphere.cli import options
from ergosphere.cli.failure import Failure, Misused, NotFound
from ergosphere.cli.options import Output
from ergosphere.cli.result import show, table
from ergosphere.cli.units import size

_HEADS = ("WHAT", "SIZE", "UNIQUE", "REPEATED", "PREVIOUS", "RANKS")
_MAPPINGS = 10


def inspect(
    checkpoint: Annotated[
        str, typer.Argument(metavar="ID", help="NAMESPACE/JOB/NAME: the Checkpoint's status.id.")
    ],
    store: Annotated[
        str, typer.Option(envvar="ERGO_STORE", metavar="URL", help="The store, as in the chart.")
    ],
    rank: Annotated[int | None, typer.Option(min=0, help="This rank only.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="A file with the store's encryption key.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Namespaces share pages in this store.")] = False,
    mappings: Annotated[
        int, typer.Option(min=0, help="How many of a process, the largest ones.")
    ] = _MAPPINGS,
    output: options.As = Output.TABLE,
) -> None:
    """Show for each rank, process and mapping how much is new, and how much is shared with whom.

    UNIQUE is stored for this rank, REPEATED are further copies of that, PREVIOUS was there from earlier
    checkpoints, RANKS is what other ranks of this one stored; the rest is zeros. A bucket's credentials are
    taken from the environment, under the names that its own tools use.
    """
    try:
        found = asyncio.run(_shares(_opened(store, key_file, shared), checkpoint, rank))
    except Invalid as error:
        raise Misused(str(error)) from None
    except Missing as error:
        raise NotFound(str(error)) from None
    except (StoreError, OSError) as error:
        raise Failure(str(error)) from None
    rows = ((what, *_cells(shares)) for one in found for what, shares in _lines(one, mappings))
    show(output, [asdict(one) for one in found], table(*_HEADS, rows=rows))


def _opened(url: str, key_file: Path | None, shared: bool) -> Store:
    try:
        key = key_file.read_bytes() if key_file else None
    except OSError as error:
        raise Misused(f"--key-file: {key_file} cannot be read: {error.strerror}") from None
    backend = {"allow_http": os.environ.get("AWS_ALLOW_HTTP", "")}
    return Store.open(url, options=backend, key=key, shared=shared)


async def _shares(store: Store, checkpoint: str, rank: int | None) -> list[RankShares]:
    ranks = range(len((await store.read(checkpoint)).ranks)) if rank is None else [rank]
    return [await store.inspect(checkpoint, number) for number in ranks]


def _lines(one: RankShares, mappings: int) -> Iterator[tuple[str, Shares]]:
    yield f"rank {one.rank}", one.shares
    for process in one.processes:
        yield f"  process {process.pid}", process.shares
        largest = sorted(process.mappings, key=lambda mapping: mapping.shares.size, reverse=True)[:mappings]
        for mapping in sorted(largest, key=lambda mapping: mapping.start):
            yield f"    {mapping.start:x}-{mapping.end:x} {mapping.name}", mapping.shares


def _cells(shares: Shares) -> Iterator[str]:
    found = (shares.size, shares.unique, shares.repeated, shares.with_previous, shares.with_ranks)
    return (size(count) if count else "-" for count in found)
