"""A real etcd and kube-apiserver on loopback, with throw-away certificates, for as long as a test run."""

import ctypes
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.api import Api

from cluster import audit
from cluster.embedded.certificates import Authority, Pair, kubeconfig, signing_pair
from scenario.rights import Request, requests

_START_SECONDS = 120
_STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Programs:
    """Where the binaries are."""

    etcd: Path
    api_server: Path
    kubectl: Path


@dataclass(frozen=True)
class ControlPlane:
    """A running API server. `kubeconfig` makes its user an administrator."""

    directory: Path
    kubeconfig: Path
    server: str
    authority: Authority
    api: Api
    programs: Programs

    def asked(self) -> list[Request]:
        """What the operator has asked for so far."""
        return requests(audit.read(self.directory))

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """Return what kubectl prints; raises CalledProcessError where it fails."""
        command = [str(self.programs.kubectl), f"--kubeconfig={self.kubeconfig}", *arguments]
        environment = {**os.environ, "HOME": str(self.directory)}
        done = subprocess.run(command, env=environment, check=check, capture_output=True, text=True)
        return done.stdout + done.stderr


@contextmanager
def control_plane(programs: Programs, directory: Path) -> Iterator[ControlPlane]:
    """Run one until the block ends. Raises RuntimeError, with the end of the log, where it does not start."""
    authority = Authority()
    with ExitStack() as stack:
        port = stack.enter_context(_reserved_port())
        server = f"https://127.0.0.1:{port}"
        admin = authority.issue("admin", ("system:masters",))
        config = _write(
            directory, "admin.kubeconfig", kubeconfig("test", server, authority.certificate, admin)
        )
        api = Api(server, _client(directory, authority, admin))
        stack.enter_context(_process(directory, "etcd", _etcd(programs, directory)))
        command = _api_server(programs, directory, authority, port)
        with _process(directory, "kube-apiserver", command) as process:
            _await_ready(api, process, directory / "kube-apiserver.log")
            yield ControlPlane(directory, config, server, authority, api, programs)


def _etcd(programs: Programs, directory: Path) -> list[str]:
    peer = f"unix://{directory}/peer.sock"
    client = f"unix://{directory}/etcd.sock"
    return [
        str(programs.etcd),
        "--name=test",
        f"--data-dir={directory}/data",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=test={peer}",
        "--unsafe-no-fsync",
    ]


def _api_server(programs: Programs, directory: Path, authority: Authority, port: int) -> list[str]:
    serving = authority.issue("kube-apiserver", names=("127.0.0.1", "localhost"))
    tokens = signing_pair()
    policy = str(_write(directory, "audit.yaml", audit.POLICY))
    return [
        str(programs.api_server),
        f"--etcd-servers=unix://{directory}/etcd.sock",
        "--bind-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        *(f"--{name}={value}" for name, value in audit.flags(policy, str(directory)).items()),
        f"--client-ca-file={_write(directory, 'ca.crt', authority.certificate)}",
        f"--tls-cert-file={_write(directory, 'serving.crt', serving.certificate)}",
        f"--tls-private-key-file={_write(directory, 'serving.key', serving.key)}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={_write(directory, 'tokens.pub', tokens.certificate)}",
        f"--service-account-signing-key-file={_write(directory, 'tokens.key', tokens.key)}",
    ]


def _write(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _client(directory: Path, authority: Authority, pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.certificate)
    # Python 3.13 asks of an authority more than the throw-away one has.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_cert_chain(_write(directory, "admin.pem", pair.certificate + pair.key))
    return context


@contextmanager
def _reserved_port() -> Iterator[int]:
    """Hold a free port that only a process which shares it, on purpose, can listen on."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def _process(directory: Path, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that ends with the block, and with this process if that is killed."""
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, stdout=log, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _await_ready(api: Api, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if api.get("/readyz").status == 200:
                return
        except ConnectionError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"kube-apiserver did not become ready:\n{log.read_text()[-4000:]}")
