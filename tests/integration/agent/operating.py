"""The operator as an agent meets it."""

import asyncio

import aiohttp
from tests.integration.agent.certificates import SERVER_NAME

from ergosphere.api.agent import (
    Command,
    Commit,
    CutReport,
    CutStep,
    Dump,
    Failure,
    Go,
    Lock,
    Phase,
    Report,
    Store,
)


class Operator:
    """A client of one agent, as the controller is."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self.report: Report | None = None

    async def see(self, wanted, seconds: float = 60.0) -> Report:
        """Poll until a report fulfils `wanted`."""
        async with asyncio.timeout(seconds):
            while self.report is None or not wanted(self.report):
                after = self.report.version if self.report else 0
                await self._poll(after)
        return self.report

    def forget(self) -> None:
        """Believe only what is reported from now on."""
        self.report = None

    async def _poll(self, after: int) -> None:
        query = {"after": str(after), "timeoutSeconds": "30"}
        try:
            async with self._session.get(
                f"{self._base}/v1/report", params=query, server_hostname=SERVER_NAME
            ) as answer:
                assert answer.status == 200, await answer.text()
                self.report = Report.model_validate_json(await answer.read())
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.02)

    async def tell(self, command: Command) -> Failure | None:
        """Send one command; why it was refused, if it was."""
        body = command.model_dump_json()
        async with self._session.post(
            f"{self._base}/v1/commands", data=body, server_hostname=SERVER_NAME
        ) as answer:
            if answer.status == 202:
                self.report = Report.model_validate_json(await answer.read())
                return None
            return Failure.model_validate_json(await answer.read())


async def run(operator: Operator) -> None:
    await operator.see(lambda r: r.phase is Phase.WAITING)
    assert await operator.tell(Go()) is None
    await operator.see(lambda r: r.phase is Phase.RUNNING)


def has_reached(cut: CutReport, step: CutStep) -> bool:
    assert cut.failure is None, cut.failure
    steps = list(CutStep)
    return cut.step is not None and steps.index(cut.step) >= steps.index(step)


async def cut_to(operator: Operator, step: CutStep, cut: str = "c1", lease: float = 60.0):
    """Take one cut as far as `step`."""
    orders = [
        (CutStep.LOCKED, lambda: Lock(cut=cut, lease_seconds=lease)),
        (CutStep.DUMPED, lambda: Dump(cut=cut)),
        (CutStep.STORED, lambda: Store(cut=cut)),
        (CutStep.COMMITTED, lambda: Commit(cut=cut, digests=[operator.report.cut.digest])),
    ]
    for reached, order in orders:
        assert await operator.tell(order()) is None
        await operator.see(lambda r, reached=reached: has_reached(r.cut, reached))
        if reached is step:
            return
