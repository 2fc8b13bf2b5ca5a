"""The operator as a process outside the cluster, with the rights that the chart gives it and no others."""

import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.integration.control_plane import ControlPlane
from tests.integration.helm import NAMESPACE, Helm

from cluster.audit import OPERATOR
from cluster.embedded.certificates import Authority, kubeconfig

_START_SECONDS = 60
_STOP_SECONDS = 20
_HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@contextmanager
def operator(helm: Helm, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Install the chart, run the operator, and let the API server call its webhook, until the block ends."""
    plane = helm.plane
    helm.install("--set", "webhook.enabled=false")
    hook, health, metrics = _free_ports(3)
    environment = {
        **os.environ,
        "KUBECONFIG": str(identity(plane, directory)),
        "ERGO_NAMESPACE": NAMESPACE,
        "ERGO_AGENT_IMAGE": "example.org/agent:1",
        "ERGO_STORE_HOSTPATH": "/store",
        "ERGO_TIERS": _told(helm, "ERGO_TIERS"),
        "ERGO_WEBHOOK_CERTIFICATES": str(directory),
        "ERGO_WEBHOOK_PORT": str(hook),
        "ERGO_HEALTH_PORT": str(health),
        "ERGO_METRICS_PORT": str(metrics),
    }
    authority = _serve_certificate(directory)
    with (directory / "operator.log").open("wb") as log:
        command = [sys.executable, "-m", "ergosphere.controller"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_port(hook, process, directory / "operator.log")
        _register(helm, authority, hook)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def identity(plane: ControlPlane, directory: Path) -> Path:
    """A kubeconfig of the chart's service account."""
    pair = plane.authority.issue(OPERATOR, ("system:serviceaccounts",))
    path = directory / "operator.kubeconfig"
    path.write_text(kubeconfig("operator", plane.server, plane.authority.certificate, pair))
    return path


def _told(helm: Helm, name: str) -> str:
    """What the chart tells the operator in a variable."""
    variables = _rendered(helm, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    return next(str(variable["value"]) for variable in variables if variable["name"] == name)


def _serve_certificate(directory: Path) -> Authority:
    authority = Authority()
    pair = authority.issue("webhook", names=("127.0.0.1",))
    (directory / "tls.crt").write_text(pair.certificate)
    (directory / "tls.key").write_text(pair.key)
    return authority


def _register(helm: Helm, authority: Authority, port: int) -> None:
    """What the chart registers, but for where the operator is."""
    rendered = _rendered(helm, "ValidatingWebhookConfiguration")
    trusted = b64encode(authority.certificate.encode()).decode()
    for hook in rendered["webhooks"]:
        path = hook["clientConfig"]["service"]["path"]
        hook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": trusted}
    assert helm.plane.api.create(_HOOKS, rendered).object


def _rendered(helm: Helm, kind: str) -> dict[str, Any]:
    """The chart's first object of a kind."""
    return next(d for d in yaml.safe_load_all(helm.render()) if d and d["kind"] == kind)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the operator did not start:\n{log.read_text()[-4000:]}")
