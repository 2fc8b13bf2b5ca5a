from collections.abc import Callable

import pytest

from ergosphere.agent import effects as do
from ergosphere.agent.inputs import Commanded, Connected, Failed, Input, Outcome, Succeeded, Tick
from ergosphere.agent.journal import Journal
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.state import State
from ergosphere.agent.transition import step
from ergosphere.api.agent import (
    Abort,
    Command,
    Commit,
    Dump,
    Failure,
    Freeze,
    Go,
    Leave,
    Lock,
    Release,
    Renew,
    Report,
    Store,
)

HERE = NodePlatform(architecture="x86_64", kernel="6.18.1", cpu_flags=frozenset({"avx2", "sse2"}))


class Rank:
    """One agent's core, driven by a test: what it was told, what it has begun, and what the test answers."""

    def __init__(self, **facts: object) -> None:
        self.now = 1000.0
        self.begun: list[do.Effect] = []
        defaults = {"rank": 0, "world": 1, "incarnation": 1, "platform": HERE, "version": 1}
        self.state = State(**{**defaults, **facts})  # type: ignore[arg-type]
        self.hear(Tick())

    def hear(self, received: Input) -> "Rank":
        self.state, effects = step(self.state, received, self.now)
        self.begun += effects
        return self

    def tell(self, command: Command) -> "Rank":
        return self.hear(Commanded(command))

    def done(self, work: type[do.Work], **found: object) -> "Rank":
        """The oldest begun effect of this type succeeds."""
        return self.hear(Succeeded(self._take(work), Outcome(**found)))  # type: ignore[arg-type]

    def fails(self, work: type[do.Work], reason: str = "Broken", *, lost: bool = False) -> "Rank":
        return self.hear(Failed(self._take(work), Failure(reason=reason, message="It broke."), lost))

    def wait(self, seconds: float) -> "Rank":
        """Let time pass, with a Tick whenever one was asked for."""
        end = self.now + seconds
        while (deadline := self.state.deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.hear(Tick())
        self.now = end
        return self

    def restarts(self) -> "Rank":
        """The agent's process is killed, and a new one reads its journal."""
        fresh = State(
            rank=self.state.rank,
            world=self.state.world,
            incarnation=self.state.incarnation,
            platform=HERE,
            version=self.state.version + 1000,
            cooperative=self.state.cooperative,
            restore="ns/job/a" if self.state.restore or self.state.fetched else "",
        )
        self.begun = []
        self.state = Journal.of(self.state).resume(fresh, self.now)
        return self.hear(Tick())

    @property
    def report(self) -> Report:
        return self.state.report()

    def asked(self) -> list[str]:
        """Names of the effects that have begun and not ended."""
        return [type(effect).__name__ for effect in self.begun]

    def _take(self, work: type[do.Work]) -> do.Work:
        found = next((effect for effect in self.begun if isinstance(effect, work)), None)
        assert found is not None, f"{work.__name__} was not begun, but {self.asked()}"
        self.begun.remove(found)
        assert not isinstance(found, do.Cancel)
        return found

    # The way to where a scenario begins.

    def running(self) -> "Rank":
        self.done(do.NetUp).hear(Connected("Waiting"))
        self.tell(Go(peers={rank: f"10.0.0.{rank + 1}" for rank in range(self.state.world)}))
        return self.done(do.NetOpen).done(do.LauncherStart)

    def locked(self, cut: str = "c1", lease: float = 15.0) -> "Rank":
        self.running().lock(cut, lease).done(do.LauncherPrepare, parts_ms={"prepare": 0.5})
        return self.done(do.NetLock, parts_ms={"lock": 1.0}, locked=True)

    def frozen(self, cut: str = "c1") -> "Rank":
        return self.locked(cut).tell(Freeze(cut=cut)).done(do.LauncherFreeze, parts_ms={"freeze": 1.0})

    def dumped(self, cut: str = "c1") -> "Rank":
        self.locked(cut).tell(Dump(cut=cut))
        return self.done(do.LauncherDump, parts_ms={"freeze": 1.0, "dump": 2.0, "files": 3.0}, bytes=64)

    def stored(self, cut: str = "c1") -> "Rank":
        self.dumped(cut).tell(Store(cut=cut))
        return self.done(do.StoreSave, parts_ms={"store": 4.0}, bytes=70, new_bytes=7, digest="d0")

    def committed(self, cut: str = "c1") -> "Rank":
        return self.stored(cut).tell(Commit(cut=cut, digests=["d0"])).done(do.StoreCommit)

    # Short forms of commands.

    def lock(self, cut: str = "c1", lease: float = 15.0) -> "Rank":
        return self.tell(Lock(cut=cut, lease_seconds=lease))

    def renew(self, cut: str = "c1", lease: float = 15.0) -> "Rank":
        return self.tell(Renew(cut=cut, lease_seconds=lease))

    def abort(self, cut: str = "c1", reason: str = "OperatorSaysSo") -> "Rank":
        return self.tell(Abort(cut=cut, failure=Failure(reason=reason, message="Another rank failed.")))

    def release(self, cut: str = "c1") -> "Rank":
        return self.tell(Release(cut=cut))

    def leave(self, cut: str = "c1") -> "Rank":
        return self.tell(Leave(cut=cut))


@pytest.fixture
def rank() -> Callable[..., Rank]:
    return Rank
