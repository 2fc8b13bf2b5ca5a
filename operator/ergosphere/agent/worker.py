"""The agent's shell: feeds the core, carries out what it asks for, and tells readers of the report."""

import asyncio
import logging
from collections.abc import Callable

from ergosphere.agent import effects as do
from ergosphere.agent.errors import Refused
from ergosphere.agent.hands import Hands
from ergosphere.agent.inputs import Commanded, Failed, Input, Succeeded, Tick
from ergosphere.agent.journal import Journal, JournalFile
from ergosphere.agent.logs import log_step
from ergosphere.agent.state import State
from ergosphere.agent.transition import step
from ergosphere.api.agent import Command, CutStep, Failure, Report

LINGER_SECONDS = 2.0
"""How long an agent that was told to end waits for the operator to read its last report."""

COMMIT_SECONDS = 10.0
"""How long it waits for the operator to commit what rank 0 has stored."""

_CANCELLED = Failure(reason="Cancelled", message="Nobody needed it any more.")

log = logging.getLogger(__name__)


class Worker:
    """One worker's agent, all on one event loop. `crashed` gets the first exception that is a bug."""

    def __init__(self, state: State, journal: JournalFile) -> None:
        self._state = state
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[asyncio.Task[Succeeded | Failed], do.Work] = {}
        self._news = asyncio.Event()
        self._delivered = state.version
        self._hands: Hands | None = None
        self.crashed: asyncio.Future[None] = self._loop.create_future()

    def begin(self, hands: Hands) -> None:
        """Start acting."""
        self._hands = hands
        self.hear(Tick())

    def hear(self, received: Input) -> None:
        """Take one input. Raises Refused for a command that does not fit."""
        before = self._state
        try:
            self._state, effects = step(before, received, self._loop.time())
            # Written before anything is done, so that a successor knows of all that may have been done.
            self._journal.write(Journal.of(self._state))
        except Refused:
            raise
        except Exception as bug:
            self._crash(bug)
            return
        log_step(log, before, received, self._state)
        for effect in effects:
            self._start(effect)
        self._set_timer()
        self._tell()

    def command(self, command: Command) -> Report:
        """Take a command; the report right after it. Raises Refused."""
        self.hear(Commanded(command))
        return self._state.report()

    async def report(self, after: int, timeout_seconds: float) -> Report:
        """The report as soon as its version is above `after`, or when the time is over."""
        await self._until(lambda: self._state.version > after, timeout_seconds)
        self._delivered = self._state.version
        self._tell()
        return self._state.report()

    async def drain(self) -> None:
        """Wait until the store's work is done, its manifest asked for, and the operator has read of it."""
        while not await self._until(self._nothing_left, COMMIT_SECONDS):
            if self._state.store is None:
                log.warning("ending without the commit of what was stored")
                break
        if not await self._until(lambda: self._delivered == self._state.version, LINGER_SECONDS):
            log.warning("ending with a report that nobody has read")

    def _nothing_left(self) -> bool:
        cut = self._state.cut
        stored = cut is not None and cut.step() is CutStep.STORED and cut.failure is None
        return self._state.store is None and not (stored and self._state.rank == 0)

    async def _until(self, reached: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self._news.wait()
        except TimeoutError:
            return reached()
        return True

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _start(self, effect: do.Effect) -> None:
        assert self._hands is not None
        if isinstance(effect, do.Cancel):
            next(task for task, work in self._tasks.items() if work == effect.work).cancel()
            return
        task = self._loop.create_task(self._hands.carry_out(effect))
        self._tasks[task] = effect
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Succeeded | Failed]) -> None:
        work = self._tasks.pop(task)
        if task.cancelled():
            self.hear(Failed(work, _CANCELLED))
        elif bug := task.exception():
            self._crash(bug)
        else:
            self.hear(task.result())

    def _crash(self, bug: BaseException) -> None:
        if not self.crashed.done():
            self.crashed.set_exception(bug)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        deadline = self._state.deadline()
        self._timer = self._loop.call_at(deadline, self.hear, Tick()) if deadline is not None else None
