"""Policies side by side."""

from collections.abc import Sequence

from rich.table import Table

from ergosphere.simulation.result import Result

COLUMNS = (
    "policy",
    "avg JCT s",
    "median s",
    "p99 s",
    "makespan s",
    "used",
    "preempted",
    "migrated",
    "GPU-h moving",
)


def columns(results: Sequence[Result]) -> tuple[str, ...]:
    """The headings: the figures, and for each tier the promises kept."""
    return (*COLUMNS, *(f"{tier} kept" for tier in results[0].promises_kept))


def cells(result: Result) -> tuple[str, ...]:
    """One row, in the order of `columns`."""
    return (
        result.policy,
        f"{result.avg_jct_s:,.0f}",
        f"{result.median_jct_s:,.0f}",
        f"{result.p99_jct_s:,.0f}",
        f"{result.makespan_s:,.0f}",
        f"{result.utilization:.1%}",
        f"{result.preemptions:,}",
        f"{result.migrations:,}",
        f"{result.gpu_hours_moving:,.0f}",
        *(f"{share:.2%}" for share in result.promises_kept.values()),
    )


def table_of(results: Sequence[Result]) -> Table:
    """A table for the terminal."""
    table = Table(*columns(results))
    for result in results:
        table.add_row(*cells(result))
    return table
