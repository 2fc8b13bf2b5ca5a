"""Commands, results, crashes and silence in any order: the program starts once and is never left frozen."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.agent.world import World, of_launcher

from ergosphere.agent import effects as do
from ergosphere.agent.errors import Refused
from ergosphere.agent.inputs import (
    Commanded,
    Disconnected,
    Failed,
    Thawed,
    Tick,
)
from ergosphere.agent.journal import Journal
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.state import State
from ergosphere.agent.transition import step
from ergosphere.api.agent import (
    Abort,
    Commit,
    CutStep,
    Dump,
    Failure,
    Freeze,
    Go,
    Leave,
    Lock,
    Phase,
    Release,
    Renew,
    Store,
)

HERE = NodePlatform(architecture="x86_64", kernel="6.18.1", cpu_flags=frozenset())
BROKEN = Failure(reason="Broken", message="It broke.")
CUTS = st.sampled_from(["c1", "c2"])
LEASE = 15.0
_STOPS = do.LauncherFreeze | do.LauncherDump
_LONG = do.LauncherPrepare | _STOPS


class OneRank(RuleBasedStateMachine):
    """An agent's core against a model of its launcher, its network and its operator."""

    cooperative = False
    world_size = 1

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.begun: list[do.Work] = []
        self.world = World()
        self.seen: dict[str, CutStep] = {}
        self.state = self._fresh(1)
        self.hear(Tick())

    def _fresh(self, version: int) -> State:
        return State(
            rank=0,
            world=self.world_size,
            incarnation=1,
            platform=HERE,
            version=version,
            cooperative=self.cooperative,
        )

    def hear(self, received: object) -> None:
        before = self.state
        self.state, effects = step(before, received, self.now)
        assert self.state.version == before.version + (self.state.report() != before.report())
        self.begun += [effect for effect in effects if not isinstance(effect, do.Cancel)]

    @initialize(orders=st.sampled_from([0, 1, 2, 3]))
    def begin(self, orders: int) -> None:
        """Somewhere on the way of a cut that nothing disturbs: few walks would come so far by chance."""
        self.hear(self.world.word())
        peers = dict.fromkeys(range(self.world_size), "10.0.0.1")
        way = (Go(peers=peers), Lock(cut="c1", lease_seconds=LEASE), Dump(cut="c1"))
        for command in way[:orders]:
            while self.begun:
                self.hear(self.world.carry_out(self.begun.pop(0), self.now))
            self.hear(Commanded(command))

    # The operator.

    @rule(cut=CUTS, kind=st.sampled_from([Freeze, Dump, Store, Release, Leave]))
    def order(self, cut: str, kind: type) -> None:
        self._tell(kind(cut=cut))

    @rule()
    def go(self) -> None:
        self._tell(Go(peers=dict.fromkeys(range(self.world_size), "10.0.0.1")))

    @rule(cut=CUTS)
    def lock(self, cut: str) -> None:
        self._tell(Lock(cut=cut, lease_seconds=LEASE))

    @rule(cut=CUTS)
    def renew(self, cut: str) -> None:
        self._tell(Renew(cut=cut, lease_seconds=LEASE))

    @rule(cut=CUTS)
    def commit(self, cut: str) -> None:
        self._tell(Commit(cut=cut, digests=[f"digest of {cut}"] * self.world_size))

    @rule(cut=CUTS)
    def abort(self, cut: str) -> None:
        self._tell(Abort(cut=cut, failure=BROKEN))

    def _tell(self, command: object) -> None:
        before = self.state
        try:
            self.hear(Commanded(command))
        except Refused:
            assert self.state == before
            return
        after = self.state
        self.hear(Commanded(command))
        if not isinstance(command, Renew):
            assert self.state == after

    # The launcher and the rest of the world.

    @precondition(lambda self: self.begun)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        work = data.draw(st.sampled_from(self.begun))
        self.begun.remove(work)
        self.hear(self.world.carry_out(work, self.now))

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), reason=st.sampled_from(["Broken", "Busy"]))
    def fail(self, data: st.DataObject, reason: str) -> None:
        work = data.draw(st.sampled_from(self.begun))
        self.begun.remove(work)
        self.hear(Failed(work, Failure(reason=reason, message="It broke.")))

    @precondition(lambda self: self.begun)
    @rule(data=st.data())
    def lose_an_answer(self, data: st.DataObject) -> None:
        """The launcher did what it was asked, and the agent never hears of it."""
        asked = [work for work in self.begun if of_launcher(work)]
        self.hear(Disconnected())
        for work in asked:
            self.begun.remove(work)
            self.world.carry_out(work, self.now)
            self.hear(Failed(work, BROKEN, lost=True))

    @rule()
    def connect(self) -> None:
        if self.world.program != "Left":
            self.hear(self.world.word())

    @rule(done=st.sampled_from(["all", "nothing", "all but the launcher's"]))
    def be_killed_and_started_again(self, done: str) -> None:
        """What the launcher was asked may be over by then, or not begun, or still under way."""
        for work in self.begun:
            if isinstance(work, _LONG) and done == "all but the launcher's":
                self.world.busy = self.world.busy or work
            elif done != "nothing":
                self.world.carry_out(work, self.now)
        self.begun = []
        self.state = Journal.of(self.state).resume(self._fresh(self.state.version + 1), self.now)
        self.hear(Tick())

    @precondition(lambda self: self.world.busy)
    @rule()
    def finish(self) -> None:
        self.world.finish(self.now)

    @rule(seconds=st.floats(0.05, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        thawed = self.world.expire(self.now)
        if thawed and self.state.connected:
            self.hear(Thawed(thawed, "LeaseExpired"))
        self.hear(Tick())

    # What always holds.

    @invariant()
    def started_at_most_once(self) -> None:
        assert self.world.starts <= 1

    @invariant()
    def at_most_one_thing_is_done_to_the_program_at_a_time(self) -> None:
        lanes = [work for work in self.begun if not isinstance(work, do.LauncherRenew)]
        stores = [work for work in lanes if type(work).__name__.startswith(("Store", "Remove"))]
        assert len(stores) <= 1
        assert len(lanes) - len(stores) <= 1

    @invariant()
    def no_aborted_cut_comes_back(self) -> None:
        cut = self.state.cut
        if cut is None:
            return
        step_now = cut.step()
        if self.seen.get(cut.id) is CutStep.ABORTED:
            assert step_now is CutStep.ABORTED
        if step_now:
            self.seen[cut.id] = step_now

    @invariant()
    def a_held_program_has_a_lease(self) -> None:
        if self.world.program == "Frozen":
            assert self.world.lease is not None

    @invariant()
    def no_cut_is_over_while_it_holds_its_program(self) -> None:
        held = self.world.busy.cut if isinstance(self.world.busy, _STOPS) else self.world.frozen_for
        cut = self.state.cut
        if held and cut and cut.id == held:
            assert cut.holds

    def teardown(self) -> None:
        """With the operator silent, and everything else working, the program runs within two leases."""
        if self.world.program == "Left":
            return
        self.hear(Disconnected())
        self.hear(self.world.word())
        for attempt in range(200):
            if attempt == 20:
                self.world.finish(self.now)
            if self.begun:
                work = self.begun.pop(0)
                self.hear(self.world.carry_out(work, self.now))
            else:
                self.wait(1.0)
            if self.world.program == "Left":
                return
        assert self.world.program != "Frozen"
        if self.world.program == "Running":
            assert not self.world.locked
            assert self.state.report().phase is Phase.RUNNING
            cut = self.state.cut
            assert cut is None or not cut.holds


class OneRankOfTwo(OneRank):
    """The same with a rank that may be frozen before it is dumped."""

    world_size = 2


class OneCooperativeRank(OneRank):
    """The same with a program that saves its own state: its network is never locked."""

    cooperative = True

    @invariant()
    def never_locked(self) -> None:
        assert not self.world.locked


TestOneRank = OneRank.TestCase
TestOneRank.settings = settings(max_examples=50, stateful_step_count=40)
TestOneRankOfTwo = OneRankOfTwo.TestCase
TestOneRankOfTwo.settings = TestOneRank.settings
TestOneCooperativeRank = OneCooperativeRank.TestCase
TestOneCooperativeRank.settings = TestOneRank.settings
