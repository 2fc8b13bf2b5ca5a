"""`python -m cluster.kind.offline`: the engine from the command line."""

import sys

import typer

from cluster.kind.offline import engine
from cluster.paths import cache
from cluster.provider import ClusterError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def create() -> None:
    """Make the engine and its node image."""
    engine.create()
    print("the engine answers: make e2e CLUSTER=kind, make demo CLUSTER=kind")


@app.command()
def delete() -> None:
    """Remove the engine and its clusters."""
    engine.delete()
    print(f"what it was made of stays in {cache()}, for the next time")


def main() -> None:
    """Run the command line; errors a user can act on are one line."""
    try:
        app()
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
