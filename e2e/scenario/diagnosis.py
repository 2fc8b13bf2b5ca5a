"""What to look at after a failure: written to a folder, never raising."""

from pathlib import Path

from scenario.kubectl import Kubectl, KubectlError
from scenario.names import OPERATOR_NAMESPACE, OPERATOR_SELECTOR

_KINDS = "trainingjobs,checkpoints,pods,poddisruptionbudgets"
_CRIU_LOGS = "find /ergosphere/run/images -name '*.log' -exec tail -n 200 -v {} +"


def write(kubectl: Kubectl, namespace: str, folder: Path) -> None:
    """Write the state of a namespace, its events and logs, CRIU's logs and the operator's into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    commands = {
        "objects.yaml": ("get", _KINDS, "-n", namespace, "-o", "yaml"),
        "events.txt": ("get", "events", "-n", namespace, "--sort-by=.metadata.creationTimestamp"),
        "nodes.txt": ("describe", "nodes"),
        "operator.log": (
            "logs",
            "-n",
            OPERATOR_NAMESPACE,
            "-l",
            OPERATOR_SELECTOR,
            "--tail=-1",
        ),
        "operator-before.log": (
            *("logs", "-n", OPERATOR_NAMESPACE, "-l", OPERATOR_SELECTOR),
            *("--tail=-1", "--previous"),
        ),
    }
    for pod in _said(kubectl, "get", "pods", "-n", namespace, "-o", "name").split():
        name = pod.removeprefix("pod/")
        commands[f"{name}.log"] = ("logs", "-n", namespace, name, "--all-containers", "--prefix")
        commands[f"{name}-criu.log"] = (
            *("exec", "-n", namespace, name, "-c", "ergosphere-agent", "--"),
            *("sh", "-c", _CRIU_LOGS),
        )
    for file, arguments in commands.items():
        (folder / file).write_text(_said(kubectl, *arguments))


def _said(kubectl: Kubectl, *arguments: str) -> str:
    try:
        return kubectl.run(*arguments, timeout=30)
    except (KubectlError, OSError, TimeoutError) as error:
        return f"{error}\n"
