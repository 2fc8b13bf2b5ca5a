"""What goes wrong with the work of a world's agents, by the name of the effect."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ergosphere.agent.errors import WorkFailed


@dataclass
class Trouble:
    """Work in `broken` fails with that error; work in `held` waits, and `reached` says that some does."""

    tell: Callable[[], None]
    broken: dict[str, WorkFailed] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def hold(self, work: str) -> None:
        """Let such work wait until it is released."""
        self.held[work] = asyncio.Event()

    def release(self, work: str) -> None:
        self.held.pop(work).set()

    async def meet(self, work: str) -> None:
        """Called before the work is done. Raises what is to go wrong."""
        await asyncio.sleep(0)
        if work in self.held:
            self.reached.add(work)
            self.tell()
            await self.held[work].wait()
        if work in self.broken:
            raise self.broken[work]
