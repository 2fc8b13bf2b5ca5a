"""A pod as the kubelet would make it, without a kubelet: namespaces, a writable layer, the launcher as PID 1.

The user's container has its own user, mount, PID, network, IPC, UTS and cgroup namespaces and just the
capabilities that the launcher needs. The test plays the agent: it stands outside of the PID namespace and
speaks on the launcher's socket.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.launcher import rootfs
from tests.integration.launcher import syscalls as sc
from tests.integration.launcher.agent import PATIENCE, Agent
from tests.integration.launcher.rootfs import CAPABILITIES, Template

_INSTALLER = {CAPABILITIES[name] for name in ("CHOWN", "DAC_OVERRIDE", "FOWNER")}
_NAMESPACES = (
    sc.CLONE_NEWNS
    | sc.CLONE_NEWPID
    | sc.CLONE_NEWNET
    | sc.CLONE_NEWIPC
    | sc.CLONE_NEWUTS
    | sc.CLONE_NEWCGROUP
)


class Pod:
    """One pod. `base` is the host's number for the pod's root; `binaries` holds launcher and CRIU."""

    def __init__(self, home: Path, binaries: Path, base: int, template: Template) -> None:
        self.home, self.binaries, self.base, self.template = home, binaries, base, template
        rootfs.make_image(home, template)
        home.chmod(0o755)
        for name in ("upper", "work", "merged", "lower", "run", "bin"):
            (home / name).mkdir()
            os.chown(home / name, base, base)
        self.stdout, self.stderr = home / "stdout", home / "stderr"
        self.termination = home / "termination-log"
        self.termination.touch()
        os.chown(self.termination, base, base)
        self.pid = 0
        self.exit_code: int | None = None

    def start(self, *command: str, options: tuple[str, ...] = (), env: dict[str, str] | None = None) -> "Pod":
        """Makes the container; the launcher then waits for the agent."""
        ready_read, ready_write = os.pipe()
        mapped_read, mapped_write = os.pipe()
        pid_read, pid_write = os.pipe()
        self._holder = os.fork()
        if self._holder == 0:
            try:
                os.close(mapped_write)
                self._contain(ready_write, mapped_read, pid_write, [*options, "--", *command], env or {})
            except BaseException as error:  # the child must not return into the test
                print(f"pod setup failed: {error!r}", file=sys.stderr, flush=True)
            os._exit(125)
        for descriptor in (mapped_read, ready_write, pid_write):
            os.close(descriptor)
        assert os.read(ready_read, 1) == b"x", "the pod's setup failed"
        rootfs.map_ids(self._holder, self.base)
        os.write(mapped_write, b"x")
        self.pid = int(os.read(pid_read, 16))
        for descriptor in (ready_read, mapped_write, pid_read):
            os.close(descriptor)
        return self

    def _contain(self, ready: int, mapped: int, pid: int, arguments: list[str], env: dict[str, str]) -> None:
        """Enters the pod's namespaces one after the other, and becomes its PID 1 or waits for it."""
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        logs = [os.open(log, append, 0o644) for log in (self.stdout, self.stderr)]
        if self.template.uptime:
            sc.unshare(sc.CLONE_NEWTIME)
            clocks = "".join(f"{clock} {self.template.uptime} 0\n" for clock in ("monotonic", "boottime"))
            Path("/proc/self/timens_offsets").write_text(clocks)
        sc.unshare(sc.CLONE_NEWNS)
        sc.mount("none", "/", flags=sc.MS_REC | sc.MS_PRIVATE)
        merged = rootfs.mount_root(self.home, self.base, self.template)
        sc.unshare(sc.CLONE_NEWUSER)
        os.write(ready, b"x")
        assert os.read(mapped, 1) == b"x", "the test is gone"
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        os.setgroups([])
        self._install()
        sc.unshare(_NAMESPACES)
        init = os.fork()
        if init == 0:
            rootfs.enter_root(merged, self.termination)
            self._become_launcher(logs, arguments, env)
        os.write(pid, str(init).encode())
        code = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
        os._exit(code if code >= 0 else 128 - code)

    def _install(self) -> None:
        """What the agent's container does first, as root of the pod with few capabilities."""
        child = os.fork()
        if child == 0:
            sc.limit_capabilities(_INSTALLER)
            arguments = [str(self.binaries / "launcher"), "install", str(self.binaries)]
            os.execv(arguments[0], [*arguments, str(self.home / "bin"), str(self.home / "run")])
        assert os.waitpid(child, 0)[1] == 0, "launcher install failed"

    def _become_launcher(self, logs: list[int], arguments: list[str], env: dict[str, str]) -> None:
        for descriptor, target in ((os.open("/dev/null", os.O_RDONLY), 0), (logs[0], 1), (logs[1], 2)):
            os.dup2(descriptor, target)
        os.closerange(3, 256)
        # As container runtimes leave it.
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        sc.limit_capabilities({CAPABILITIES[name] for name in self.template.capabilities})
        launcher = "/ergosphere/bin/launcher"
        os.execve(launcher, [launcher, "run", *arguments], {"PATH": "/usr/bin:/bin", "HOME": "/root", **env})

    @property
    def images(self) -> Path:
        return self.home / "run" / "images"

    def agent(self) -> Agent:
        return Agent(self.home / "run" / "launcher.sock", self.alive)

    def exec(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container's namespaces, as `kubectl exec` does."""
        enter = ["nsenter", "-t", str(self.pid), "-U", "-m", "-p", "-n", "-i", "-u", "--", *command]
        return subprocess.run(enter, capture_output=True, text=True, timeout=30, check=False)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def await_no_agent(self) -> None:
        """Waits until the launcher has hung up too on an agent that is gone."""
        deadline = time.monotonic() + PATIENCE
        connections = ("ss", "-xH", "state", "established", "src", "/ergosphere/run/launcher.sock")
        while self.exec(*connections).stdout:
            assert time.monotonic() < deadline, "the launcher keeps a dead connection"
            time.sleep(0.01)

    def alive(self) -> bool:
        if self.exit_code is None:
            ended, status = os.waitpid(self._holder, os.WNOHANG)
            if ended:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None

    def wait(self) -> int:
        """Waits for the container's end and returns its exit code."""
        if self.exit_code is None:
            self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self._holder, 0)[1])
        return self.exit_code

    def lines(self) -> list[str]:
        return self.stdout.read_text().splitlines()

    def delete(self) -> None:
        """Ends whatever is left of the pod."""
        if self.pid and self.alive():
            with contextlib.suppress(ProcessLookupError):  # it may be ending by itself
                os.kill(self.pid, signal.SIGKILL)
            self.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def receive(self, other: "Pod", cut: str) -> None:
        """Moves an image here, as the agents of both pods do by way of the store."""
        target = self.images / cut
        shutil.copytree(other.images / cut, target)
        for path in (target, *target.rglob("*")):
            os.chown(path, self.base, self.base)
