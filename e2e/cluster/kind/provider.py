"""The provider for machines with a Docker engine, whoever brought that."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from cluster import audit, binaries, image_store, readiness
from cluster.api import Api
from cluster.kind import config, credentials, engine, nodes, record
from cluster.kind.engine import Engine
from cluster.kind.record import CONTROL, Record
from cluster.progress import step
from cluster.provider import ClusterError, ClusterStatus, Condition, NodeSpec, NodeStatus, check
from cluster.versions import read_versions


class KindProvider:
    """Clusters of kind; `cluster.provider.Provider` says what the methods promise."""

    def __init__(self, docker: Engine) -> None:
        """Take the engine that holds the nodes."""
        self._engine = docker

    def create(self, name: str, nodes: Sequence[NodeSpec]) -> None:
        """Make the cluster, after removing what an unfinished creation of the same name left."""
        check(name, nodes)
        known = record.read(self._engine.clusters, name)
        if known is not None and self._whole(known):
            return
        self.delete(name)
        made = record.claim(self._engine.clusters, name, nodes)
        self._make(made)
        api = credentials.connect(made.unfinished_kubeconfig)
        readiness.await_usable(api, {node.name: node.gpus for node in made.nodes}, self._advice(made))
        self._route(made, api)
        made.unfinished_kubeconfig.rename(made.kubeconfig)

    def load_image(self, name: str, archive: Path) -> None:
        """Import the archive into every running node at once."""
        known = self._known(name)
        containers = [known.container(node.name) for node in known.nodes]
        running = [node for node in containers if nodes.condition(self._engine, node) == "Running"]
        with step(f"loading {archive.name}"), ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: image_store.load(nodes.on(self._engine, node), archive), running))

    def kubeconfig(self, name: str) -> Path:
        """Give the administrator's kubeconfig."""
        return self._known(name).kubeconfig

    def kubectl(self, name: str) -> Path:
        """Give a copy of the one on the control plane."""
        return self._known(name).kubectl

    def audit_log(self, name: str) -> str:
        """Read it on the control plane's node."""
        files = f"{config.AUDIT}/{audit.FILES}"
        return nodes.on(self._engine, self._known(name).containers[CONTROL])(["sh", "-c", f"cat {files}"])

    def status(self, name: str) -> ClusterStatus:
        """Look at the containers themselves."""
        known = self._known(name)
        found = tuple(self._node_status(known, node.name) for node in known.nodes)
        return ClusterStatus(name, known.kubeconfig.exists(), found)

    def delete(self, name: str) -> None:
        """Remove the cluster, whole or not."""
        known = record.read(self._engine.clusters, name)
        if known is not None:
            with step(f"deleting kind cluster {name}"):
                self._unmake(known)

    def kill_node(self, name: str, node: str) -> None:
        """Kill the node's container."""
        nodes.kill(self._engine, self._known(name).container(node))

    def pause_node(self, name: str, node: str) -> None:
        """Freeze the node's container."""
        self._change(name, node, "Running", "pause")

    def resume_node(self, name: str, node: str) -> None:
        """Thaw the node's container."""
        self._change(name, node, "Paused", "unpause")

    def restart_node(self, name: str, node: str) -> None:
        """Kill the node's container and start it again; returns when the node is Ready again."""
        known = self._known(name)
        container = known.container(node)
        kubernetes_name = known.kubernetes_name(node)
        gpus = {kubernetes_name: next((spec.gpus for spec in known.nodes if spec.name == node), 0)}
        api = credentials.connect(known.kubeconfig)
        # The control plane cannot be asked when it is off; a report of a node in between must not count.
        before = readiness.last_report(api, kubernetes_name)
        nodes.kill(self._engine, container)
        reported = before if node == CONTROL else readiness.last_report(api, kubernetes_name)
        nodes.docker(self._engine, "start", container)
        readiness.await_usable(api, gpus, self._advice(known), reported)
        self._route(known, api)

    def _known(self, name: str) -> Record:
        known = record.read(self._engine.clusters, name)
        if known is None:
            names = ", ".join(other.name for other in record.read_all(self._engine.clusters)) or "none"
            raise ClusterError(f"there is no kind cluster {name}; known are: {names}")
        return known

    @cached_property
    def _program(self) -> str:
        return str(binaries.build(read_versions().go["kind"]) / "kind")

    def _kind(self, *arguments: str, keep: Sequence[int] = ()) -> None:
        engine.run(self._engine, [self._program, *arguments], keep=keep)

    def _make(self, made: Record) -> None:
        settings = nodes.machine_settings(self._engine) + self._engine.settings(made)
        file = made.directory / "kind.yaml"
        file.write_text(config.render(made, settings))
        made.audit_policy.write_text(audit.POLICY)
        image = ("--image", self._engine.node_image)
        kubeconfig = ("--kubeconfig", str(made.unfinished_kubeconfig))
        with step(f"creating kind cluster {made.name}"), record.exclusive(made.creation) as lock:
            options = (*image, "--config", str(file), *kubeconfig)
            self._kind("create", "cluster", "--name", made.name, *options, keep=[lock])
        nodes.keep_gpus_declared(self._engine, made)
        nodes.copy_kubectl(self._engine, made)

    def _unmake(self, known: Record) -> None:
        """Remove everything; a kind that still makes nodes fails on the first round, the second is final."""
        delete = ("delete", "cluster", "--name", known.name, "--kubeconfig", str(known.kubeconfig))
        self._kind(*delete)
        with record.exclusive(known.creation):
            self._kind(*delete)
        self._engine.forget(known)
        record.remove(known)

    def _route(self, known: Record, api: Api) -> None:
        """Tell the engine which node has which pods; a node that was off may have another address since."""
        networks = {
            node["metadata"]["name"]: node["spec"]["podCIDR"] for node in api.get("/api/v1/nodes")["items"]
        }
        running = [
            (networks[known.kubernetes_name(machine)], container)
            for machine, container in known.containers.items()
            if nodes.condition(self._engine, container) != "Stopped"
        ]
        pods = {network: nodes.address(self._engine, container) for network, container in running}
        self._engine.route(known, pods)

    def _whole(self, known: Record) -> bool:
        control = known.containers[CONTROL]
        return known.kubeconfig.exists() and nodes.condition(self._engine, control) == "Running"

    def _node_status(self, known: Record, node: str) -> NodeStatus:
        container = known.container(node)
        condition = nodes.condition(self._engine, container)
        address = "" if condition == "Stopped" else nodes.address(self._engine, container)
        return NodeStatus(node, condition, address)

    def _change(self, name: str, node: str, wanted: Condition, verb: str) -> None:
        container = self._known(name).container(node)
        found = nodes.condition(self._engine, container)
        if found != wanted:
            raise ClusterError(f"{node} of cluster {name} is {found}, not {wanted}")
        nodes.docker(self._engine, verb, container)

    def _advice(self, known: Record) -> str:
        container = known.containers[next(node.name for node in known.nodes)]
        command = " ".join(self._engine.command(["docker", "exec", container, "journalctl"]))
        return f"see `{command}`"
