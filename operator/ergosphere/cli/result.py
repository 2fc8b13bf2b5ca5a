"""How results are printed."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ergosphere.cli.options import Output

_WIDTH = 200
"""Columns of what is not printed to a terminal."""


def show(output: Output, value: Mapping[str, Any] | Sequence[Any], *parts: RenderableType) -> None:
    """Print the value as JSON, or the parts, which say the same, for people."""
    if output is Output.JSON:
        typer.echo(json.dumps(value, indent=2))
        return
    printer = console()
    for part in parts:
        printer.print(part)


def console() -> Console:
    """Where results are printed: as wide as the terminal, and wide where there is none."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=_WIDTH)


def table(*heads: str, rows: Iterable[Sequence[str]], title: str = "", folded: Container[str] = ()) -> Table:
    """A table without lines; the last column, and those `folded`, share the room that is left."""
    made = Table(box=None, title=title or None, title_justify="left", pad_edge=False, header_style="bold")
    for head in heads:
        folds = head in folded or head == heads[-1]
        made.add_column(head, no_wrap=not folds, overflow="fold" if folds else "ellipsis")
    for row in rows:
        # Text, for names and messages are no markup.
        made.add_row(*(Text(cell) for cell in row))
    return made


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and what they are; those without a value are left out."""
    made = Table(box=box.SIMPLE, show_header=False, show_edge=False, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            made.add_row(name, Text(value))
    return made
