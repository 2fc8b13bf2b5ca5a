"""kubectl, as a user would call it, bound to one cluster."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

Resource = dict[str, Any]


class KubectlError(RuntimeError):
    """kubectl ended with a non-zero status; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl binary and the kubeconfig it uses."""

    binary: str
    kubeconfig: str

    def command(self, *arguments: str) -> list[str]:
        """The full command line for `arguments`."""
        return [self.binary, "--kubeconfig", self.kubeconfig, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120.0) -> str:
        """Run to the end and return stdout. `timeout` is in seconds.

        Raises:
            KubectlError: the exit status was not 0.
        """
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def stream(self, *arguments: str, into: IO[Any] | int) -> subprocess.Popen[str]:
        """Start a command that goes on, its output going to `into`; the caller ends it."""
        return subprocess.Popen(self.command(*arguments), stdout=into, stderr=subprocess.STDOUT, text=True)

    def apply(self, *resources: Mapping[str, Any]) -> None:
        """Apply resources.

        Raises:
            KubectlError: the API server refused one.
        """
        self.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(resource) for resource in resources))

    def get(self, kind: str, name: str, namespace: str = "") -> Resource | None:
        """One resource, or None when there is none."""
        place = ["-n", namespace] if namespace else []
        text = self.run("get", kind, name, *place, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text.strip() else None

    def list(self, kind: str, namespace: str = "", *, selector: str = "") -> Sequence[Resource]:
        """All resources of a kind in a namespace, or in the cluster when none is named."""
        place = ["-n", namespace] if namespace else []
        chosen = ["-l", selector] if selector else []
        found: Sequence[Resource] = json.loads(self.run("get", kind, *place, *chosen, "-o", "json"))["items"]
        return found

    def worker_nodes(self) -> Sequence[str]:
        """The names of the nodes that jobs may run on: not those of the cluster's own control plane."""
        nodes = self.list("nodes", selector="!node-role.kubernetes.io/control-plane")
        return [node["metadata"]["name"] for node in nodes]

    def patch(self, kind: str, name: str, namespace: str, change: Mapping[str, Any]) -> None:
        """Merge `change` into a resource."""
        self.run("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps(change))
