"""What may go wrong with an operator's writes: API requests that change something, and words to agents."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import count

from ergosphere.controller.kube import ApiError, Object, Resource


class Killed(Exception):
    """The operator is dead: nothing that it sends arrives, and nothing arrives at it."""


class Faults:
    """None. `writes` names every write that was begun, in order; `strike` kills the operator.

    An API request that changes something is made within `turn`.
    """

    turn: AbstractAsyncContextManager[None] = nullcontext()

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.strike: Callable[[], object] = lambda: None

    def before(self, write: str) -> None:
        """About to be sent. Raises what the operator is to see instead of an answer."""
        self.writes.append(write)

    async def hold(self, write: str) -> None:
        """On its way: returns when it may arrive."""

    def after(self, write: str) -> None:
        """Carried out by the other side; raises what the operator is to see instead of the answer."""

    def hides(self, resource: Resource, event: Object) -> bool:
        """Whether this event of a watch gets lost."""
        return False


class Kill(Faults):
    """The operator dies at its `number`-th write: right before it is sent, or before its answer is read.

    What it sends at the same time arrives one by one, so that those before have arrived and no other has.
    """

    def __init__(self, number: int, *, sent: bool) -> None:
        super().__init__()
        self.turn = asyncio.Lock()
        self.number = number
        self.sent = sent
        self.struck = ""

    def before(self, write: str) -> None:
        if self.struck:
            raise Killed
        super().before(write)
        if not self.sent:
            self._count(write)

    def after(self, write: str) -> None:
        if self.struck:
            raise Killed
        if self.sent:
            self._count(write)

    def _count(self, write: str) -> None:
        self.number -= 1
        if self.number < 0:
            self.struck = write
            self.strike()
            raise Killed


class KillAmidPods(Faults):
    """The operator dies as it creates pods: those with these numbers exist by then, the others never will."""

    def __init__(self, *existing: int) -> None:
        super().__init__()
        self._numbers = count()
        self._awaited = set(existing)
        self._answered = 0

    async def hold(self, write: str) -> None:
        if self._creates_pod(write) and next(self._numbers) not in self._awaited:
            await asyncio.Event().wait()

    def after(self, write: str) -> None:
        self._answered += self._creates_pod(write)
        if self._answered == len(self._awaited):
            self.strike()
            raise Killed

    @staticmethod
    def _creates_pod(write: str) -> bool:
        return write.startswith("POST") and write.endswith("/pods")


class Unreliable(Faults):
    """Half of the API writes end in `error`: without effect, or, if `sent`, after they have taken effect."""

    def __init__(self, error: Callable[[], Exception], *, sent: bool) -> None:
        super().__init__()
        self.failed = 0
        self._error = error
        self._sent = sent
        self._chance = random.Random(1)

    def before(self, write: str) -> None:
        super().before(write)
        if not self._sent:
            self._fail(write)

    def after(self, write: str) -> None:
        if self._sent:
            self._fail(write)

    def _fail(self, write: str) -> None:
        if not write.startswith("tell") and self._chance.random() < 0.5:
            self.failed += 1
            raise self._error()


class Drop(Faults):
    """The `number`-th event of the watches is lost."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.dropped = ""

    def hides(self, resource: Resource, event: Object) -> bool:
        if event["type"] in ("BOOKMARK", "ERROR"):
            return False
        self._number -= 1
        if self._number == -1:
            self.dropped = f"{event['type']} {resource.plural} {event['object']['metadata']['name']}"
        return self._number == -1


def refusal(status: int, reason: str) -> Callable[[], Exception]:
    """The API server's refusal, as the client raises it."""
    return lambda: ApiError(status, reason, "injected")
