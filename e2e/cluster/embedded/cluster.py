"""Making and unmaking a whole cluster of machines."""

import fcntl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cluster import paths
from cluster.embedded import bridge, cgroups, controlplane, machine, node, record
from cluster.embedded.addresses import MAX_CLUSTERS, free_index
from cluster.embedded.certificates import Authority, kubeconfig
from cluster.embedded.record import CONTROL, Record
from cluster.embedded.services import Plan, Software
from cluster.provider import ClusterError, NodeSpec


@contextmanager
def exclusive() -> Iterator[None]:
    """Take turns with every other maker of clusters: indices and cgroups are shared between them."""
    paths.clusters().mkdir(parents=True, exist_ok=True)
    with (paths.clusters() / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def begin(name: str, nodes: Sequence[NodeSpec]) -> Record:
    """Write down what is about to be made, then make what other clusters could clash with."""
    with exclusive():
        taken = {known.index for known in record.read_all()} | bridge.taken_indices()
        index = free_index(taken, bridge.routed_networks())
        if index is None:
            raise ClusterError(
                f"no network is free for another cluster; there can be {MAX_CLUSTERS}, delete one"
            )
        made = Record(name, index, "Creating", tuple(nodes), cgroups.plan(name))
        _refuse_strangers(made.cgroups)
        record.write(made)
        cgroups.make(made.cgroups, made.machines)
        bridge.make(made.addresses, len(nodes))
    return made


def _refuse_strangers(planned: Sequence[str]) -> None:
    for path in planned:
        if Path(path).exists():
            raise ClusterError(
                f"{path} is no known cluster's: another user's, or left by one whose record is lost"
            )


def install(made: Record, software: Software) -> None:
    """Write the files of every machine and of the administrator."""
    authority = Authority()
    _install_administrator(made, authority)
    below = cgroups.relative(made.cgroups)
    control = controlplane.plan(made.addresses, made.nodes, authority, software)
    plans: dict[str, Plan] = {CONTROL: control}
    for spec in made.nodes:
        plans[spec.name] = node.plan(
            made.addresses, made.nodes, spec, f"{below}/{spec.name}", authority, software
        )
    for name, plan in plans.items():
        machine.install(made, name, plan, software)


def _install_administrator(made: Record, authority: Authority) -> None:
    pair = authority.issue("admin", ("system:masters",))
    directory = made.machine_directory(CONTROL) / "etc"
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        directory / "ca.crt": authority.certificate,
        directory / "admin.crt": pair.certificate,
        directory / "admin.key": pair.key,
        made.directory / "kubeconfig": kubeconfig(
            f"ergosphere-{made.name}", made.addresses.server, authority.certificate, pair
        ),
    }
    for path, text in texts.items():
        path.touch(mode=0o600)
        path.write_text(text)


def boot(made: Record) -> None:
    """Start every machine at once. Raises ClusterError if one does not."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: machine.boot(made, name), made.machines))


def finish(made: Record) -> None:
    """Write down that the cluster is whole."""
    record.write(replace(made, phase="Complete"))


def unmake(made: Record) -> None:
    """Remove everything the record leads to, the record last. Can be repeated after a crash at any point."""
    record.write(replace(made, phase="Deleting"))
    for name in made.machines:
        cgroups.freeze(made.machine_cgroups(name), frozen=False)
    # What a crashed creator is still booting fails to join its cgroup from here on, and so makes no link.
    with exclusive():
        cgroups.remove(made.cgroups)
    bridge.remove(made.addresses, range(len(made.machines)))
    record.remove(made)
