"""The agent's end of the launcher's socket: requests with numbered replies, and events, as JSON lines."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ergosphere.agent.errors import LauncherLost, LauncherRefused
from ergosphere.agent.inputs import Connected, Disconnected, Exited, Gone, Input, Terminating, Thawed
from ergosphere.agent.state import Program
from ergosphere.api.agent import Exit

CONNECT_INTERVAL_SECONDS = 0.02
"""Between attempts to reach a launcher that is not there yet; it may start at any moment."""

ANSWER_SECONDS = 60.0
"""How long a launcher may take to answer what it does at once. It may be ending a CRIU that hangs before."""

LINE_LIMIT = 1 << 20
"""Longest line in bytes that a launcher may send."""

# The launcher itself bounds how long CRIU has for the others. `leave` lasts until the program's memory is
# given back and its last output is copied; a launcher that is asked again does not get to it any earlier.
_AT_ONCE = {"status", "start", "renew", "thaw"}

_STATES = {Program.WAITING, Program.RUNNING, Program.FROZEN, Program.RESTORED, Program.EXITED}

log = logging.getLogger(__name__)


class Line(BaseModel):
    """Any line from the launcher: a reply when it has an `id`, else an event."""

    id: int | None = None
    ok: bool = False
    reason: str = "LauncherFailed"
    message: str = ""
    event: str = ""
    state: str = ""
    cut: str = ""
    busy: str = ""
    exit: Exit | None = None
    code: int = 0
    signal: int = 0
    freezeMs: float = 0.0
    dumpMs: float = 0.0
    filesMs: float = 0.0
    restoreMs: float = 0.0
    bytes: int = 0


class Launcher:
    """A connection to the launcher that is made again whenever it ends.

    `hear` gets Connected after each connection, Disconnected at its end, and the launcher's events.
    """

    def __init__(self, path: Path, hear: Callable[[Input], None]) -> None:
        self._path = path
        self._hear = hear
        self._ids = itertools.count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Line]] = {}

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path), limit=LINE_LIMIT)
            except OSError as error:
                if isinstance(error, ConnectionRefusedError):
                    self._hear(Gone())
                await asyncio.sleep(CONNECT_INTERVAL_SECONDS)
                continue
            await self._converse(reader, writer)
            await asyncio.sleep(CONNECT_INTERVAL_SECONDS)

    async def ask(self, op: str, **fields: Any) -> Line:
        """Send one request and await its reply. Raises LauncherRefused, LauncherLost."""
        writer = self._writer
        if writer is None:
            raise LauncherLost(op)
        number = next(self._ids)
        answer: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        writer.write(json.dumps({"id": number, "op": op, **fields}).encode() + b"\n")
        try:
            if op in _AT_ONCE:
                await _answered_or_cut_off(answer, writer)
            line = await answer
        except _Closed:
            raise LauncherLost(op) from None
        finally:
            self._waiting.pop(number, None)
        if not line.ok:
            raise _refusal(line)
        return line

    async def status(self) -> Connected:
        """Ask where the program stands."""
        line = await self.ask("status")
        if line.state not in _STATES:
            raise LauncherRefused(
                "LauncherFailed", f"The launcher is in a state unknown here: {line.state!r}."
            )
        return Connected(line.state, line.cut, line.exit, bool(line.busy))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        greeting = asyncio.create_task(self._greet())
        try:
            while raw := await reader.readline():
                self._take(Line.model_validate_json(raw))
        except (OSError, ValueError) as error:
            log.warning("the connection to the launcher broke", extra={"fields": {"error": str(error)}})
        finally:
            greeting.cancel()
            self._writer = None
            writer.close()
            self._end()

    async def _greet(self) -> None:
        try:
            self._hear(await self.status())
        except (LauncherLost, LauncherRefused) as error:
            log.warning("the launcher does not say its state", extra={"fields": {"error": str(error)}})

    def _end(self) -> None:
        """Say so first, so that nothing is asked again on the connection that has just ended."""
        self._hear(Disconnected())
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_Closed())

    def _take(self, line: Line) -> None:
        answer = self._waiting.get(line.id) if line.id is not None else None
        if answer and not answer.done():
            answer.set_result(line)
        elif event := _event(line):
            self._hear(event)


async def _answered_or_cut_off(answer: asyncio.Future[Line], writer: asyncio.StreamWriter) -> None:
    """End the connection when the answer does not come; whoever awaits it then hears of that in its turn."""
    await asyncio.wait([answer], timeout=ANSWER_SECONDS)
    if not answer.done():
        log.warning("the launcher does not answer")
        writer.transport.abort()


class _Closed(Exception):
    """The connection ended."""


def _refusal(line: Line) -> LauncherRefused:
    """The launcher's no, in a form that fits a report whatever the launcher wrote."""
    try:
        return LauncherRefused(line.reason, line.message)
    except ValidationError:
        return LauncherRefused("LauncherFailed", f"{line.reason}: {line.message}")


def _event(line: Line) -> Input | None:
    match line.event:
        case "exited":
            return Exited(Exit(code=line.code, signal=line.signal))
        case "thawed":
            return Thawed(line.cut, line.reason)
        case "terminating":
            return Terminating()
    return None
