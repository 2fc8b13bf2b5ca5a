"""The agent's end of the launcher's socket."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 60.0


class Refused(Exception):
    """The launcher answered that it cannot; `reason` says why, for programs."""

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__(f"{reply['reason']}: {reply['message']}")
        self.reason: str = reply["reason"]
        self.message: str = reply["message"]


class Agent:
    """One connection. Events that arrive between replies are kept in `events`."""

    def __init__(self, path: Path, alive: Callable[[], bool]) -> None:
        self.events: list[dict[str, Any]] = []
        self._id = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        try:
            self._connect(path, alive)
        except BaseException:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("r")

    def _connect(self, path: Path, alive: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._socket.connect(str(path))
                return
            except (FileNotFoundError, ConnectionRefusedError):
                assert alive(), "the launcher ended before it listened"
                assert time.monotonic() < deadline, "the launcher does not listen"
                time.sleep(0.01)

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise EOFError("the launcher hung up")
        message: dict[str, Any] = json.loads(line)
        return message

    def send(self, op: str, **arguments: Any) -> int:
        self._id += 1
        self._socket.sendall((json.dumps({"id": self._id, "op": op, **arguments}) + "\n").encode())
        return self._id

    def reply(self, number: int) -> dict[str, Any]:
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
                continue
            assert message["id"] == number, message
            if not message["ok"]:
                raise Refused(message)
            return message

    def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        return self.reply(self.send(op, **arguments))

    def event(self, name: str) -> dict[str, Any]:
        """The next event of that name, waiting for it if need be."""
        while True:
            for position, event in enumerate(self.events):
                if event["event"] == name:
                    return self.events.pop(position)
            message = self._read()
            assert "event" in message, message
            self.events.append(message)

    def expect_silence(self, seconds: float) -> None:
        """Raises TimeoutError if nothing comes for so long."""
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        finally:
            self._socket.settimeout(PATIENCE)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def dump(self, cut: str, lease: float = 30) -> dict[str, Any]:
        return self.call("dump", cut=cut, dir=f"/ergosphere/run/images/{cut}", leaseSeconds=lease)

    def restore(self, cut: str) -> dict[str, Any]:
        return self.call("restore", dir=f"/ergosphere/run/images/{cut}")
