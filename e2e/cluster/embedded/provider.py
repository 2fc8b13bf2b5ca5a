"""The provider that needs nothing but root on a Linux machine."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cluster import audit, binaries, image_store, packages
from cluster.embedded import cgroups, cluster, controlplane, machine, readiness, record
from cluster.embedded.record import Record
from cluster.embedded.services import Software
from cluster.images import pause
from cluster.progress import step
from cluster.provider import ClusterError, ClusterStatus, NodeSpec, NodeStatus, check
from cluster.versions import read_versions


def software() -> Software:
    """Build whatever the cache lacks. Raises ClusterError."""
    packages.ensure()
    versions = read_versions()
    built = binaries.build_all(versions)
    return Software.of({**built, "pause": pause.build(versions)})


class EmbeddedProvider:
    """Clusters of namespaces on this machine; `cluster.provider.Provider` says what the methods promise."""

    def create(self, name: str, nodes: Sequence[NodeSpec]) -> None:
        """Make the cluster, after removing what an unfinished creation of the same name left."""
        _check(name, nodes)
        known = record.read(name)
        if known is not None and _whole(known):
            return
        if known is not None:
            cluster.unmake(known)
        programs = software()
        made = cluster.begin(name, nodes)
        cluster.install(made, programs)
        cluster.boot(made)
        readiness.await_nodes(made, [node.name for node in nodes])
        cluster.finish(made)

    def load_image(self, name: str, archive: Path) -> None:
        """Import the archive into every running node at once."""
        known = _known(name)
        running = [node.name for node in known.nodes if machine.condition(known, node.name) == "Running"]
        with step(f"loading {archive.name}"), ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: image_store.load(partial(machine.run, known, node), archive), running))

    def kubeconfig(self, name: str) -> Path:
        """Give the administrator's kubeconfig."""
        return _known(name).directory / "kubeconfig"

    def kubectl(self, name: str) -> Path:
        """Give the one that was built with the rest."""
        _known(name)
        return binaries.directory(read_versions().go["kubernetes"]) / "kubectl"

    def audit_log(self, name: str) -> str:
        """Read it where the control plane's machine writes it."""
        return audit.read(_known(name).machine_directory(record.CONTROL) / controlplane.AUDIT)

    def status(self, name: str) -> ClusterStatus:
        """Look at the machines themselves."""
        known = _known(name)
        nodes = [
            NodeStatus(
                node.name, machine.condition(known, node.name), known.addresses.node(known.ordinal(node.name))
            )
            for node in known.nodes
        ]
        return ClusterStatus(name, known.phase == "Complete", tuple(nodes))

    def delete(self, name: str) -> None:
        """Remove the cluster, whole or not."""
        known = record.read(name)
        if known is not None:
            with step(f"deleting cluster {name}"):
                cluster.unmake(known)

    def kill_node(self, name: str, node: str) -> None:
        """Kill all the node's processes at once."""
        known = _known_node(name, node)
        machine.power_off(known, node)

    def pause_node(self, name: str, node: str) -> None:
        """Freeze the node's cgroup."""
        known = _known_node(name, node)
        machine.pid(known, node)
        cgroups.freeze(known.machine_cgroups(node), frozen=True)

    def resume_node(self, name: str, node: str) -> None:
        """Thaw the node's cgroup."""
        known = _known_node(name, node)
        cgroups.freeze(known.machine_cgroups(node), frozen=False)

    def restart_node(self, name: str, node: str) -> None:
        """Kill what runs on the node, then boot it from its disk; returns when it is Ready again."""
        known = _known_node(name, node)
        machine.power_off(known, node)
        reported = "" if node == record.CONTROL else readiness.last_report(known, node)
        machine.boot(known, node)
        if node == record.CONTROL:
            readiness.await_server(known)
        else:
            readiness.await_nodes(known, [node], reported)


def _check(name: str, nodes: Sequence[NodeSpec]) -> None:
    if os.geteuid() != 0:
        raise ClusterError("the embedded cluster needs root: it makes namespaces, mounts and cgroups")
    check(name, nodes)


def _whole(known: Record) -> bool:
    return known.phase == "Complete" and machine.condition(known, record.CONTROL) == "Running"


def _known(name: str) -> Record:
    known = record.read(name)
    if known is None:
        names = ", ".join(other.name for other in record.read_all()) or "none"
        raise ClusterError(f"there is no cluster {name}; known are: {names}")
    return known


def _known_node(name: str, node: str) -> Record:
    known = _known(name)
    known.ordinal(node)
    return known
