"""A program followed through the pods it lives in."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.integration.launcher.agent import PATIENCE, Agent
from tests.integration.launcher.pod import Pod
from tests.integration.launcher.rootfs import Template

PYTHON = "/usr/bin/python3"
Make = Callable[[Template], Pod]


@dataclass(frozen=True)
class Program:
    """A command with the launcher's options and its environment."""

    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


class Job:
    """One program and all the pods that have hosted it, the present one last."""

    def __init__(self, make: Make, template: Template, program: Program) -> None:
        self._make, self._template, self._program = make, template, program
        self.pods: list[Pod] = []
        self.cuts = 0
        self.agent: Agent
        self._new_pod(template)

    @property
    def pod(self) -> Pod:
        return self.pods[-1]

    @property
    def cut(self) -> str:
        return f"cut-{self.cuts}"

    def volume(self, path: str) -> Path:
        return dict(self._template.volumes)[path]

    def _new_pod(self, template: Template, options: tuple[str, ...] | None = None) -> None:
        program = self._program
        chosen = program.options if options is None else options
        self.pods.append(self._make(template).start(*program.command, options=chosen, env=program.env))
        self.agent = self.pod.agent()

    def start(self) -> "Job":
        self.agent.call("start")
        return self

    def prepare(self, lease: float = 30) -> None:
        """Announces the next cut."""
        cut = f"cut-{self.cuts + 1}"
        self.agent.call("prepare", cut=cut, dir=f"/ergosphere/run/images/{cut}", leaseSeconds=lease)

    def freeze(self, lease: float = 30) -> dict[str, Any]:
        """Stops the program for the next cut."""
        cut = f"cut-{self.cuts + 1}"
        return self.agent.call("freeze", cut=cut, dir=f"/ergosphere/run/images/{cut}", leaseSeconds=lease)

    def dump(self, lease: float = 30) -> dict[str, Any]:
        self.cuts += 1
        return self.agent.dump(self.cut, lease)

    def thaw(self) -> None:
        self.agent.call("thaw", cut=self.cut)

    def leave(self) -> None:
        self.agent.call("leave", cut=self.cut)
        assert self.pod.wait() == 0, self.pod.stderr.read_text()
        self.agent.close()

    def fail(self) -> None:
        """Ends the pod as the loss of its node does."""
        self.pod.signal(signal.SIGKILL)
        self.pod.wait()
        self.agent.close()

    def begin(self, options: tuple[str, ...] | None = None, **differences: Any) -> None:
        """Waits in a new pod, which may differ in the launcher's options and in parts of its template."""
        self._new_pod(replace(self._template, **differences), options)

    def arrive(self, options: tuple[str, ...] | None = None, **differences: Any) -> dict[str, Any]:
        """Restores the last cut in a new pod, which may differ as for `begin`; it stays frozen."""
        old = self.pod
        self.begin(options, **differences)
        self.pod.receive(old, self.cut)
        return self.agent.restore(self.cut)

    def move(self) -> None:
        """Takes the program to a new pod and lets it run on."""
        self.dump()
        self.leave()
        self.arrive()
        self.agent.call("thaw")

    def lines(self) -> list[str]:
        """The complete lines that the program has written so far."""
        return "".join(pod.stdout.read_text() for pod in self.pods).split("\n")[:-1]

    def errors(self) -> str:
        return "".join(pod.stderr.read_text() for pod in self.pods)

    def await_lines(self, more: int = 1) -> list[str]:
        """Waits until the program has written that many more lines than now."""
        wanted = len(self.lines()) + more
        return self._await(lambda lines: len(lines) >= wanted)

    def await_line(self, wanted: str) -> None:
        """Waits until the program has written that line."""
        self._await(lambda lines: wanted in lines)

    def await_file(self, path: str) -> None:
        """Waits until the program has written something into that file."""
        deadline = time.monotonic() + PATIENCE
        while not self.pod.exec("cat", path).stdout:
            assert time.monotonic() < deadline, f"the program has not written {path}: {self.errors()}"
            time.sleep(0.01)

    def _await(self, enough: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + PATIENCE
        while not enough(lines := self.lines()):
            assert self.pod.alive() or enough(self.lines()), f"the program ended: {self.errors()}"
            assert time.monotonic() < deadline, (
                f"the program has written no more than {lines[-3:]} {self.errors()}"
            )
            time.sleep(0.01)
        return lines


class Pods:
    """Makes jobs. What they leave on volumes is below `home`."""

    def __init__(self, make: Make, home: Path) -> None:
        self._make, self._home = make, home
        self._jobs: list[Job] = []

    def close(self) -> None:
        for job in self._jobs:
            job.agent.close()

    def job(
        self,
        *command: str,
        options: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        volumes: tuple[str, ...] = (),
        template: Template | None = None,
    ) -> Job:
        """A job that waits to be started. `volumes` are paths that all its pods share."""
        shared = []
        for path in volumes:
            directory = self._home / f"volume-{len(self._jobs)}-{len(shared)}"
            directory.mkdir()
            directory.chmod(0o777)
            shared.append((path, directory))
        made = replace(template or Template(), volumes=tuple(shared))
        job = Job(self._make, made, Program(command, options, env or {}))
        self._jobs.append(job)
        return job

    def python(self, code: str, **settings: Any) -> Job:
        """A job of a Python program, started."""
        return self.job(PYTHON, "-c", code, **settings).start()
