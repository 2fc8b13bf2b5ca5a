"""The operator as a process: kopf's life cycle, probes and webhooks around the loop."""

import asyncio
import base64
import logging
import os
from collections.abc import Mapping
from typing import Any

import kopf
from prometheus_client import start_http_server

from . import metrics
from .certificates import Pair, new_authority
from .config import Config, read
from .kube import Kube
from .leader import Leadership
from .loop import Loop
from .resources import SECRETS
from .tiers import make_missing
from .webhook import register

_log = logging.getLogger(__name__)
_AUTHORITY = "ergosphere-authority"
_METRICS_PORT = 9090
_RETRY_SECONDS = 1
_CERTIFICATES = "ERGO_WEBHOOK_CERTIFICATES"


def run() -> None:
    """Run until told to stop, or until leadership is lost. Raises ConfigError before anything starts."""
    config = read()
    stop = asyncio.Event()
    registry = kopf.OperatorRegistry()
    _life_cycle(registry, config, stop)
    if _CERTIFICATES in os.environ:
        register(registry)
    start_http_server(int(os.environ.get("ERGO_METRICS_PORT", _METRICS_PORT)))
    asyncio.run(_serve(registry, stop))


async def _serve(registry: kopf.OperatorRegistry, stop: asyncio.Event) -> None:
    port = os.environ.get("ERGO_HEALTH_PORT", "8080")
    await kopf.operator(
        registry=registry,
        standalone=True,
        clusterwide=True,
        stop_flag=stop,
        liveness_endpoint=f"http://0.0.0.0:{port}/healthz",
    )


def _life_cycle(registry: kopf.OperatorRegistry, config: Config, stop: asyncio.Event) -> None:
    tasks: list[asyncio.Task[None]] = []

    @kopf.on.login(registry=registry)
    def login(**rest: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_via_client(**rest)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        _configure(settings)
        tasks.append(asyncio.create_task(_lead(config), name="operator"))
        tasks[0].add_done_callback(lambda task: _ended(task, stop))

    # Before the webhook serves: a job of a tier that comes with the installation is never refused.
    @kopf.on.startup(registry=registry, backoff=_RETRY_SECONDS)
    async def tiers(**_: Any) -> None:
        await _make_tiers(config)

    @kopf.on.cleanup(registry=registry)
    async def end(**_: Any) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @kopf.on.probe(registry=registry, id="loop")
    def alive(**_: Any) -> str:
        return "ended" if tasks and tasks[0].done() else "running"


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.watching.server_timeout = 300
    directory = os.environ.get(_CERTIFICATES)
    if directory:
        settings.admission.server = kopf.WebhookServer(
            port=int(os.environ.get("ERGO_WEBHOOK_PORT", "9443")),
            certfile=f"{directory}/tls.crt",
            pkeyfile=f"{directory}/tls.key",
        )


def _ended(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    if not task.cancelled() and task.exception():
        _log.error("the operator's loop ended: %r", task.exception(), exc_info=task.exception())
    stop.set()


async def _make_tiers(config: Config) -> None:
    kube = await Kube.connect()
    try:
        await make_missing(kube, config.tiers)
    finally:
        await kube.close()


async def _lead(config: Config) -> None:
    """Wait for leadership, then reconcile for as long as it lasts."""
    kube = await Kube.connect()
    leadership = Leadership(kube, config.namespace, config.identity)
    try:
        authority = await _authority(kube, config.namespace)
        await leadership.acquire()
        metrics.LEADER.set(1)
        loop = Loop(kube, config, authority)
        work = asyncio.create_task(loop.run(), name="loop")
        keep = asyncio.create_task(leadership.keep(), name="lease")
        try:
            done, _ = await asyncio.wait({work, keep}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            _log.error("leadership lost; the process ends so that only one operator writes")
        finally:
            work.cancel()
            keep.cancel()
            await asyncio.gather(work, keep, return_exceptions=True)
            await leadership.release()
    finally:
        await kube.close()


async def _authority(kube: Kube, namespace: str) -> Pair:
    """The installation's authority; made and stored at the first start."""
    known = await kube.get(SECRETS, namespace, _AUTHORITY)
    if known is None:
        pair = new_authority()
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _AUTHORITY, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "data": {
                "tls.crt": base64.b64encode(pair.certificate).decode(),
                "tls.key": base64.b64encode(pair.key).decode(),
            },
        }
        if await kube.create(SECRETS, body) is not None:
            return pair
        known = await kube.get(SECRETS, namespace, _AUTHORITY)
    return _decoded((known or {}).get("data") or {})


def _decoded(data: Mapping[str, str]) -> Pair:
    return Pair(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))
