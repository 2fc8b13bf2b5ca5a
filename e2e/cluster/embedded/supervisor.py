"""Runs a machine's services: starts each when what it needs is there, and again when it ends."""

import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

POLL_SECONDS = 0.05
RESTART_SECONDS = 1.0


@dataclass
class Service:
    """A program to keep running, or to run once to success; `after` says what must be there first."""

    name: str
    argv: list[str]
    after: list[dict[str, str]] = field(default_factory=list)
    once: bool = False
    pid: int = 0
    done: bool = False
    not_before: float = 0.0

    @property
    def idle(self) -> bool:
        """Tell whether the service should be started as soon as it can be."""
        return not self.pid and not self.done


def listens(path: str) -> bool:
    """Tell whether a unix socket accepts connections."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return False
    return True


def answers(url: str, authority: str) -> bool:
    """Tell whether an HTTPS URL answers with success."""
    context = ssl.create_default_context(cafile=authority)
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


class Supervisor:
    """PID 1's loop over a machine's services."""

    def __init__(self, services: list[dict[str, Any]], path: str, logs: str) -> None:
        """Take the services as the machine's spec gives them, their PATH and a directory for their logs."""
        self.services = [Service(**service) for service in services]
        self.environment = {**os.environ, "PATH": path}
        self.logs = Path(logs)

    def run(self) -> NoReturn:
        """Start, restart and reap for ever."""
        self.logs.mkdir(exist_ok=True)
        while True:
            for service in self.services:
                if service.idle and time.monotonic() >= service.not_before and self._allowed(service):
                    self._start(service)
            waiting = any(service.idle for service in self.services)
            if not self._reap(block=not waiting):
                time.sleep(POLL_SECONDS)

    def _reap(self, block: bool) -> bool:
        try:
            pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return False
        if pid:
            self._ended(pid, os.waitstatus_to_exitcode(status))
        return pid != 0

    def _allowed(self, service: Service) -> bool:
        return all(self._met(condition) for condition in service.after)

    def _met(self, condition: dict[str, str]) -> bool:
        match condition:
            case {"socket": path}:
                return listens(path)
            case {"url": url, "authority": authority}:
                return answers(url, authority)
            case {"done": name}:
                return any(service.done for service in self.services if service.name == name)
        raise ValueError(f"unknown condition {condition}")

    def _start(self, service: Service) -> None:
        with (self.logs / f"{service.name}.log").open("ab") as log:
            process = subprocess.Popen(
                service.argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        service.pid = process.pid
        process.returncode = 0  # reaped below, not by this object
        print(f"{service.name}: started as {service.pid}", flush=True)

    def _ended(self, pid: int, code: int) -> None:
        for service in self.services:
            if service.pid == pid:
                print(f"{service.name}: ended with {code}", flush=True)
                service.pid, service.done = 0, service.once and code == 0
                service.not_before = time.monotonic() + RESTART_SECONDS
