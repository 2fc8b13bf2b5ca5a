"""The face of a kubelet that the API server asks for logs: each program prints a line for every step."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from tests.integration.controller.training import Program
from tests.integration.controller.world import World

from cluster.embedded.certificates import Authority
from ergosphere.controller.resources import NODES, PODS

_EVERY = 100
"""A line stands for so many steps: a program makes a thousand in a second."""


class KubeletLogs:
    """Serves the logs of a world.

    The first `breaks` connections break after their first lines; `asked` counts all.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.breaks = 0
        self.asked = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What /containerLogs answers: with time stamps, and to the program's end if it is followed."""
        uid = next(
            obj["metadata"]["uid"]
            for obj in self._world.history.objects[PODS].values()
            if obj["metadata"]["name"] == request.match_info["pod"]
        )
        program = self._world.kubelet.pods[uid].program
        response = web.StreamResponse()
        await response.prepare(request)
        self.asked += 1
        breaks = self.asked <= self.breaks
        printed = 0
        while True:
            over = program.ended.is_set() or request.query.get("follow") != "true"
            lines = _lines(program)
            await response.write("".join(lines[printed:]).encode())
            printed = len(lines)
            if over:
                return response
            if breaks and printed:
                if request.transport:
                    request.transport.abort()
                return response
            await asyncio.sleep(0.02)


def _lines(program: Program) -> list[str]:
    """All lines so far. The time stamp of a step is the same whenever it is asked for."""
    first = program.first // _EVERY
    stamps = (
        (n, datetime.fromtimestamp(1_000_000_000 + n / 10, UTC))
        for n in range(first, program.steps // _EVERY)
    )
    return [f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}000Z step {n}\n" for n, at in stamps]


@asynccontextmanager
async def serving_logs(world: World, authority: Authority, directory: Path) -> AsyncIterator[KubeletLogs]:
    """Serve the logs of all nodes of a world, and tell the API server where."""
    await world.history.until(lambda: len(world.history.objects[NODES]) == 2, "both nodes")
    logs = KubeletLogs(world)
    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", logs.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_context(authority, directory))
        await site.start()
        port = runner.addresses[0][1]
        where = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
        where |= {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
        for name in world.history.objects[NODES]:
            await world.kube.merge_status(NODES, "", name, where)
        yield logs
    finally:
        await runner.cleanup()


def _context(authority: Authority, directory: Path) -> ssl.SSLContext:
    pair = authority.issue("kubelet", names=("127.0.0.1",))
    path = directory / "kubelet.pem"
    path.write_text(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
