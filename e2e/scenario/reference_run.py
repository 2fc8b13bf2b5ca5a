"""The same program as a plain pod, which nothing of Ergosphere touches: what a moved run is compared with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from scenario.kubectl import Kubectl
from scenario.losses import Step, parse
from scenario.waiting import until


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """A pod that runs a program from start to end."""

    kubectl: Kubectl
    namespace: str
    name: str

    def steps(self, timeout: float = 120.0) -> list[Step]:
        """Wait (seconds) until the program has ended well, and return its steps."""

        def done() -> bool:
            pod = self.kubectl.get("pod", self.name, self.namespace)
            assert pod
            assert pod["status"]["phase"] == "Succeeded", pod["status"]["phase"]
            return True

        until(f"the uninterrupted run {self.name} to end", done, timeout=timeout)
        return parse(self.kubectl.run("logs", "-n", self.namespace, self.name))


@contextmanager
def started(
    kubectl: Kubectl, namespace: str, name: str, image: str, command: Sequence[str], node: str = ""
) -> Iterator[ReferenceRun]:
    """Run the program in a pod, on `node` if one is named, and delete the pod in the end."""
    container = {
        "name": "train",
        "image": image,
        "command": list(command),
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
    }
    placed = {"nodeName": node} if node else {}
    kubectl.run("delete", "pod", name, "-n", namespace, "--ignore-not-found")
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"restartPolicy": "Never", "containers": [container], **placed},
        }
    )
    try:
        yield ReferenceRun(kubectl, namespace, name)
    finally:
        kubectl.run("delete", "pod", name, "-n", namespace, "--wait=false", "--grace-period=0", "--force")
