"""The operator's ear and voice at the agents: one long poll per worker, and commands."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import aiohttp
from pydantic import ValidationError

from ergosphere.api.agent import AGENT_PORT, Command, Report

_log = logging.getLogger(__name__)
_POLL_SECONDS = 30
_RETRY_SECONDS = 0.1
_SLOWEST_RETRY_SECONDS = 5.0
_COMMAND_SECONDS = 10
_ANSWER_SECONDS = 3
# A job's owner may put anything in an agent's place. A true report has a few KiB.
_MOST_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Address:
    """Where one worker's agent listens, and the name in its certificate. `pod` and `job` are uids."""

    pod: str
    job: str
    ip: str
    server_name: str


class Agents:
    """The latest report of every agent that is followed. `on_report` is called with the job's uid.

    `answered` are the pods of those that have answered when they were asked. `unheard` are those that could
    not be told something, and since when by the monotonic clock nothing was heard of them; `unreached` those
    whose last poll failed, alike. Only the former may miss what they are told.
    """

    def __init__(self, tls: ssl.SSLContext, on_report: Callable[[str], None]) -> None:
        self.reports: dict[str, Report] = {}
        self.answered: set[str] = set()
        self.unheard: dict[str, float] = {}
        self.unreached: dict[str, float] = {}
        self._tls = tls
        self._on_report = on_report
        self._polls: dict[Address, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def follow(self, addresses: set[Address]) -> None:
        """Follow exactly these agents: polls of others end, and their reports are forgotten."""
        for gone in self._polls.keys() - addresses:
            self._polls.pop(gone).cancel()
        self.add(addresses)
        known = {address.pod for address in addresses}
        self.reports = {pod: report for pod, report in self.reports.items() if pod in known}
        self.answered &= known
        self.unheard = {pod: since for pod, since in self.unheard.items() if pod in known}
        self.unreached = {pod: since for pod, since in self.unreached.items() if pod in known}

    def add(self, addresses: set[Address]) -> None:
        """Follow these agents too."""
        for new in addresses - self._polls.keys():
            self._polls[new] = asyncio.create_task(self._poll(new), name=f"poll {new.pod}")

    async def tell(self, address: Address, command: Command) -> bool:
        """Send one command; False when the agent could not be reached or refused, which the log says."""
        timeout = aiohttp.ClientTimeout(total=_COMMAND_SECONDS)
        url = f"https://{address.ip}:{AGENT_PORT}/v1/commands"
        try:
            async with self._http().post(
                url,
                data=command.model_dump_json(),
                headers={"Content-Type": "application/json"},
                server_hostname=address.server_name,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _body(response)
                self.unheard.pop(address.pod, None)
                if response.status != 202:
                    why = body[:500].decode(errors="replace")
                    _log.warning("agent of %s refused %s: %s", address.pod, command.kind, why)
                    return False
                self._take(address, Report.model_validate_json(body))
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            _log.warning("agent of %s not told %s: %s", address.pod, command.kind, error)
            self.unheard.setdefault(address.pod, time.monotonic())
            return False
        return True

    async def ask(self, address: Address) -> None:
        """Have an agent that is followed answer now: `answered` tells whether it did."""
        try:
            report = await self._report(address, 0, 0, _ANSWER_SECONDS)
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            _log.info("agent of %s does not answer: %s", address.pod, error)
            return
        self._take(address, report)
        if address in self._polls:
            self.answered.add(address.pod)
            self._on_report(address.job)

    async def close(self) -> None:
        """Stop following and close the connections."""
        self.follow(set())
        if self._session:
            await self._session.close()

    async def _poll(self, address: Address) -> None:
        delay = _RETRY_SECONDS
        while True:
            try:
                known = self.reports.get(address.pod)
                after = known.version if known else 0
                self._take(address, await self._report(address, after, _POLL_SECONDS, _POLL_SECONDS + 10))
                delay = _RETRY_SECONDS
            except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                _log.debug("agent of %s not heard: %s", address.pod, error)
                self.unreached.setdefault(address.pod, time.monotonic())
                await asyncio.sleep(delay)
                delay = min(delay * 1.3, _SLOWEST_RETRY_SECONDS)

    async def _report(self, address: Address, after: int, poll_seconds: float, seconds: float) -> Report:
        """The report as soon as its version is above `after`, or after `poll_seconds`; else, an error."""
        url = f"https://{address.ip}:{AGENT_PORT}/v1/report"
        query = {"after": str(after), "timeoutSeconds": str(poll_seconds)}
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=2)
        async with self._http().get(
            url,
            params=query,
            server_hostname=address.server_name,
            timeout=timeout,
            raise_for_status=True,
            allow_redirects=False,
        ) as response:
            return Report.model_validate_json(await _body(response))

    def silent(self, seconds: float) -> frozenset[str]:
        """The pods of agents of which nothing was heard for so long, although they were spoken to."""
        now = time.monotonic()
        return frozenset(pod for pod, since in self.unheard.items() if now - since >= seconds)

    def waited(self, pods: Iterable[str]) -> dict[str, float]:
        """For how many seconds those of these pods were asked in vain whose agents are not reached."""
        now, unreached = time.monotonic(), self.unreached
        return {pod: now - unreached[pod] for pod in pods if pod in unreached}

    def _take(self, address: Address, report: Report) -> None:
        self.unheard.pop(address.pod, None)
        self.unreached.pop(address.pod, None)
        known = self.reports.get(address.pod)
        if address in self._polls and report != known:
            self.reports[address.pod] = report
            self._on_report(address.job)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
            # What unpacks to more than was read would go past the bound of an answer.
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, headers={"Accept-Encoding": "identity"}
            )
        return self._session


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The body; ClientPayloadError when it is longer than a report can be."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise aiohttp.ClientPayloadError(f"the answer is longer than {_MOST_BYTES} bytes")
    return bytes(body)
