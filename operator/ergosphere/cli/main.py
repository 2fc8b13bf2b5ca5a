"""The `ergo` command, also installed as `kubectl ergo`."""

from importlib.metadata import version
from typing import Annotated

import typer

from ergosphere.cli import checkpoint
from ergosphere.cli.describe import describe
from ergosphere.cli.doctor import doctor
from ergosphere.cli.failure import EXIT_STATUS
from ergosphere.cli.group import Commands
from ergosphere.cli.jobs import jobs
from ergosphere.cli.logs import logs
from ergosphere.cli.migrate import migrate
from ergosphere.cli.plan import plan
from ergosphere.cli.simulate import simulate
from ergosphere.cli.suspend import resume, suspend
from ergosphere.cli.top import top

_STATUSES = "\n\n".join(["Exit status:", *(f"{status}: {text}" for status, text in EXIT_STATUS.items())])

app = typer.Typer(
    name="ergo",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Preemptible, migratable, elastic training jobs.",
    epilog=_STATUSES,
)
app.command()(top)
app.command()(jobs)
app.command()(describe)
app.command()(logs)
app.add_typer(checkpoint.app, name="checkpoint")
app.command()(suspend)
app.command()(resume)
app.command()(migrate)
app.command()(plan)
app.command()(doctor)
app.command()(simulate)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ergo {version('ergosphere')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which version this is."),
    ] = False,
) -> None:
    """Preemptible, migratable, elastic training jobs."""
