"""`ergo simulate`: the planner, and others to compare with, on a trace instead of a cluster."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ergosphere.cli.failure import Failure
from ergosphere.scheduling.model import DEFAULT_TIERS
from ergosphere.simulation import plot, trace
from ergosphere.simulation.cost import parse_cost
from ergosphere.simulation.engine import Endless, Simulation
from ergosphere.simulation.failure import parse_failures
from ergosphere.simulation.policies import NAMES, OWN, TOLD, policy_of
from ergosphere.simulation.quantity import fleet_shape, number
from ergosphere.simulation.result import Result, jcts, result_of
from ergosphere.simulation.table import table_of
from ergosphere.simulation.workload import fleet_of, jobs_of, parse_mix

Value = TypeVar("Value")

WIDTH = 160
"""Columns of a table that is not printed to a terminal."""


def _parsed(option: str, parse: Callable[[str], Value], text: str) -> Value:
    """A parsed option; ends the program with status 2 and one line when it cannot be."""
    try:
        return parse(text)
    except ValueError as error:
        raise _refusal(f"{option}: {error}") from None


def _refusal(message: str) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(2)


def simulate(
    fleet: Annotated[str, typer.Option(help="Nodes and GPUs on each, such as 16x8.")],
    trace_file: Annotated[Path, typer.Option("--trace", help="A job trace; its format is detected.")],
    policy: Annotated[str, typer.Option(help=f"One of {', '.join(NAMES)}.")] = OWN,
    compare: Annotated[str, typer.Option(help="Policies to put side by side, separated by commas.")] = "",
    tiers: Annotated[str, typer.Option(help="Share of the jobs in each tier.")] = "Standard=1",
    cost: Annotated[
        str,
        typer.Option(
            help="Of moving: none, default, or overhead=10s,gib-per-gpu=8,gib-per-s=2.5. A failure loses "
            "what came after the last checkpoint, which costs nothing: interval=30m."
        ),
    ] = "none",
    failures: Annotated[
        str, typer.Option(help="none, or mtbf=30d,repair=4h,maintenance=7d,notice=30m,window=1h.")
    ] = "none",
    elastic: Annotated[
        str, typer.Option(help="Share of jobs that run with half to twice the workers.")
    ] = "0",
    seed: Annotated[int, typer.Option(help="Of everything drawn by chance.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="Draw to FILE.html or FILE.png.")] = None,
) -> None:
    """Run a job trace under a scheduling policy, or several side by side."""
    shape = _parsed("--fleet", fleet_shape, fleet)
    mix = _parsed("--tiers", lambda text: parse_mix(text, DEFAULT_TIERS), tiers)
    costs = _parsed("--cost", parse_cost, cost)
    faults = _parsed("--failures", parse_failures, failures)
    stretch = _parsed("--elastic", lambda text: number(text, 0, 1), elastic)
    names = _parsed("--compare" if compare else "--policy", _names, compare or policy)
    if plot_file is not None:
        _parsed("--plot", lambda text: plot.check(Path(text)), str(plot_file))
    try:
        jobs = jobs_of(trace.read(trace_file), shape, mix, costs, stretch, seed)
    except trace.TraceError as error:
        raise _refusal(str(error)) from None
    results, times = [], []
    try:
        with _progress() as progress:
            for name in names:
                told = name in TOLD
                simulation = Simulation(
                    fleet_of(*shape), jobs, policy_of(name, DEFAULT_TIERS), costs, faults, seed, told
                )
                task = progress.add_task(name, total=len(jobs))
                simulation.simulate(partial(_show, progress, task))
                results.append(result_of(name, simulation, DEFAULT_TIERS))
                times.append(jcts(simulation))
    except Endless as error:
        raise _refusal(f"--failures: {error}") from None
    _report(results, as_json, bool(compare) or len(names) > 1)
    if plot_file is not None:
        _draw(plot_file, f"{trace_file.name} on {fleet}", results, times)


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        policy_of(name, DEFAULT_TIERS)
    return names


def _progress() -> Progress:
    """Progress on the error stream, so that it does not mix with the result."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _show(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _draw(path: Path, title: str, results: list[Result], times: list[list[float]]) -> None:
    try:
        plot.write(path, title, results, times)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror or error}") from error


def _report(results: list[Result], as_json: bool, several: bool) -> None:
    if not as_json:
        terminal = Console().is_terminal
        Console(width=None if terminal else WIDTH).print(table_of(results))
    elif several:
        typer.echo(json.dumps({result.policy: result.as_json() for result in results}))
    else:
        typer.echo(json.dumps(results[0].as_json()))
