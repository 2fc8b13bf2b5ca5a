"""How commands are found and how they fail: one line on the error stream, and an exit status."""

from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup

from ergosphere.cli.failure import Failure


class Commands(TyperGroup):
    """The commands of `ergo`."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a Failure ends the program with its one line and its status."""
        try:
            return super().invoke(ctx)
        except Failure as failure:
            typer.echo(f"error: {failure}", err=True)
            raise typer.Exit(failure.status) from None


class DefaultCommand(Commands):
    """A group with a command for what names none of the others: the one that is registered first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the first command's name before arguments that begin with none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer what the first command takes besides the names of the others."""
        (argument, *_) = (
            p for p in next(iter(self.commands.values())).params if isinstance(p, TyperArgument)
        )
        return [*super().shell_complete(ctx, incomplete), *argument.shell_complete(ctx, incomplete)]
