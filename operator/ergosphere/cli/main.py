"""The `ergo` command, also installed as `kubectl ergo`."""

import typer

from ergosphere.cli.simulate import simulate

app = typer.Typer(name="ergo", no_args_is_help=True, help="Preemptible, migratable, elastic training jobs.")
app.command()(simulate)


@app.callback()
def main() -> None:
    """Preemptible, migratable, elastic training jobs."""
