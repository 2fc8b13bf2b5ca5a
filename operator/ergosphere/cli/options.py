"""The options that commands share."""

from enum import StrEnum
from typing import Annotated

import typer

from ergosphere.cli.completion import job_names, namespaces, nodes


class Output(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", metavar="FILE", help="Instead of $KUBECONFIG or ~/.kube/config.")
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Instead of the kubeconfig's current context.")
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Instead of the context's namespace.", autocompletion=namespaces),
]
AllNamespaces = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Jobs of all namespaces.")]
As = Annotated[Output, typer.Option("--output", "-o", help="For people, or for programs.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when it is so, not when it is asked for.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long --wait waits at most.")
]
Job = Annotated[str, typer.Argument(metavar="JOB", show_default=False, autocompletion=job_names)]
Node = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="NODE",
        help="Where to; may be repeated. Without it: anywhere else.",
        autocompletion=nodes,
    ),
]

TIMEOUT_SECONDS = 600.0
