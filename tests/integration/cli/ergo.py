"""The command as a process: what it prints, and its exit status."""

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 60
PROGRAM = Path(sys.executable).with_name("ergo")


@dataclass(frozen=True)
class Done:
    """What a command has come to."""

    status: int
    output: str
    errors: str


class Terminal:
    """What a command shows on a terminal."""

    def __init__(self, descriptor: int, process: asyncio.subprocess.Process) -> None:
        self._descriptor = descriptor
        self._process = process

    async def shows(self, text: str) -> None:
        """Return once the text was shown after what was awaited before."""
        shown = b""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while text.encode() not in shown:
                shown += await asyncio.to_thread(os.read, self._descriptor, 65536)

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    async def ends(self) -> int:
        """The exit status."""
        return await self._process.wait()


class Ergo:
    """`ergo` with one kubeconfig, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "COLUMNS": "200"}
        self._namespace = namespace

    async def run(self, *arguments: str, **variables: str) -> Done:
        """Run a command to its end."""
        return await self.end(await self.begin(*arguments, **variables))

    async def begin(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        """Start a command."""
        environment = self._environment | variables
        return await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, stdout=PIPE, stderr=PIPE, env=environment
        )

    @asynccontextmanager
    async def on_a_terminal(self, *arguments: str) -> AsyncIterator["Terminal"]:
        """Run a command that goes on, on a terminal of its own."""
        ours, its = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *arguments,
            "-n",
            self._namespace,
            stdin=its,
            stdout=its,
            stderr=its,
            env=self._environment,
        )
        os.close(its)
        try:
            yield Terminal(ours, process)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            os.close(ours)

    async def completed(self, *words: str) -> list[str]:
        """What kubectl is told that the last word can become."""
        program = PROGRAM.with_name("kubectl_complete-ergo")
        asked = await asyncio.create_subprocess_exec(program, *words, stdout=PIPE, env=self._environment)
        return (await asked.communicate())[0].decode().split()

    async def end(self, process: asyncio.subprocess.Process) -> Done:
        """Wait until the command ends by itself."""
        output, errors = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, output.decode(), errors.decode())

    async def __call__(self, *arguments: str) -> str:
        """What a command prints that must succeed, in the namespace."""
        done = await self.run(*arguments, "-n", self._namespace)
        assert done.status == 0, done
        return done.output

    async def json(self, *arguments: str) -> Any:
        """The same for programs."""
        return json.loads(await self(*arguments, "-o", "json"))

    async def refused(self, *arguments: str) -> tuple[int, str]:
        """The status and the one line of a command that must fail, in the namespace."""
        done = await self.run(*arguments, "-n", self._namespace)
        (*_, line) = done.errors.splitlines()
        assert "Traceback" not in done.errors
        return done.status, line
