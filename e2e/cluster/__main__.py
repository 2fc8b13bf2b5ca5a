"""`python -m cluster`: clusters and images from the command line."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster import docker
from cluster.embedded.provider import EmbeddedProvider
from cluster.images import build as image_build
from cluster.kind.offline.engine import find_engine
from cluster.kind.provider import KindProvider
from cluster.provider import ClusterError, Provider, default_nodes

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
images = typer.Typer(no_args_is_help=True, help="Build and load the repository's images.")
app.add_typer(images, name="images")
Name = Annotated[str, typer.Option("--name", "-n", help="the cluster")]
Node = Annotated[str, typer.Argument(help="the node, such as node-1")]


def provider() -> Provider:
    """Choose as CLUSTER says; without it, kind where a Docker engine answers. Raises ClusterError."""
    choice = os.environ.get("CLUSTER") or ("kind" if docker.answers() else "embedded")
    if choice not in ("kind", "embedded"):
        raise ClusterError(f"CLUSTER is {choice!r}; it can be kind or embedded")
    return KindProvider(find_engine()) if choice == "kind" else EmbeddedProvider()


@app.command()
def create(name: Name = "dev", nodes: int = 3, gpus: int = 4) -> None:
    """Make a cluster whose nodes each declare some GPUs."""
    provider().create(name, default_nodes(nodes, gpus))
    print(f"export KUBECONFIG={provider().kubeconfig(name)}")
    print(f"export PATH={provider().kubectl(name).parent}:$PATH  # kubectl")


@app.command("load-image")
def load_image(archives: list[Path], name: Name = "dev") -> None:
    """Load image archives into every node."""
    for archive in archives:
        provider().load_image(name, archive)


@app.command()
def kubeconfig(name: Name = "dev") -> None:
    """Print the path of the administrator's kubeconfig."""
    print(provider().kubeconfig(name))


@app.command()
def status(name: Name = "dev") -> None:
    """Print each node and whether it runs."""
    found = provider().status(name)
    print(f"{found.name}: {'complete' if found.complete else 'incomplete'}")
    for node in found.nodes:
        print(f"  {node.name} {node.address} {node.condition}")


@app.command()
def delete(name: Name = "dev") -> None:
    """Remove a cluster and everything it left."""
    provider().delete(name)


@app.command()
def kill(node: Node, name: Name = "dev") -> None:
    """Take a node's power away."""
    provider().kill_node(name, node)


@app.command()
def pause(node: Node, name: Name = "dev") -> None:
    """Freeze a node."""
    provider().pause_node(name, node)


@app.command()
def resume(node: Node, name: Name = "dev") -> None:
    """Let a frozen node run on."""
    provider().resume_node(name, node)


@app.command()
def restart(node: Node, name: Name = "dev") -> None:
    """Power-cycle a node."""
    provider().restart_node(name, node)


@images.command("build")
def images_build(names: Annotated[list[str] | None, typer.Argument()] = None, load: str = "") -> None:
    """Build the named images, or all; unchanged ones are left. `--load CLUSTER` also loads them there."""
    selected = image_build.select(names or [])
    built = image_build.build(selected)
    for image in selected:
        print(f"{image.tag}: {'built' if image in built else 'unchanged'} ({image.archive})")
    for image in selected if load else []:
        provider().load_image(load, image.archive)


def main() -> None:
    """Run the command line; errors a user can act on are one line."""
    try:
        app()
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
