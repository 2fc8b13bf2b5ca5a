"""The agent's HTTPS face: the report, by long poll, and the commands."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web
from pydantic import ValidationError

from ergosphere.agent.errors import Refused
from ergosphere.api.agent import COMMAND, Command, Failure, Report

MAX_POLL_SECONDS = 60.0
MAX_COMMAND_BYTES = 4 << 20
HANDSHAKE_SECONDS = 5.0


class Worker(Protocol):
    """What the server serves."""

    def command(self, command: Command) -> Report:
        """Take a command; the report right after it. Raises Refused."""

    async def report(self, after: int, timeout_seconds: float) -> Report:
        """The report as soon as its version is above `after`, or when the time is over."""


def application(worker: Worker) -> web.Application:
    """The routes over a worker."""

    async def report(request: web.Request) -> web.StreamResponse:
        after = _number(request, "after", 0.0)
        seconds = min(_number(request, "timeoutSeconds", 0.0), MAX_POLL_SECONDS)
        return _json(200, await worker.report(int(after), seconds))

    async def commands(request: web.Request) -> web.StreamResponse:
        return _json(202, worker.command(COMMAND.validate_json(await request.read())))

    app = web.Application(client_max_size=MAX_COMMAND_BYTES, middlewares=[_explain])
    app.router.add_get("/v1/report", report)
    app.router.add_post("/v1/commands", commands)
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Listen within the context. Raises OSError when the address cannot be had."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    assert runner.server is not None
    # A stranger gets as far as the handshake; a site of aiohttp would let it stay there for a minute.
    listener = await asyncio.get_running_loop().create_server(
        runner.server, host, port, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS
    )
    try:
        yield
    finally:
        listener.close()
        await runner.cleanup()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is wrong with a request in the form of a Failure."""
    try:
        return await handler(request)
    except Refused as refusal:
        return _json(409, refusal.failure)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return _json(400, Failure(reason="InvalidCommand", message=problems[:2048]))


def _number(request: web.Request, name: str, default: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1 << 63:
        failure = Failure(reason="InvalidQuery", message=f"{name} must be a number, 0 or more.")
        raise web.HTTPBadRequest(text=failure.model_dump_json(), content_type="application/json")
    return number


def _json(status: int, body: Report | Failure) -> web.Response:
    # An older operator refuses fields that it does not know, and most say nothing most of the time.
    text = body.model_dump_json(exclude_none=True)
    return web.Response(status=status, text=text, content_type="application/json")
