"""What to do next: compares what is wished with what is, and fills the two idle lanes with work."""

from dataclasses import replace

from ergosphere.agent import effects as do
from ergosphere.agent.state import Cut, Program, State

_BEFORE_START = (Program.UNKNOWN, Program.WAITING)
# A program that is frozen waits for its dump, or a predecessor of this agent has not heard of it.
_DUMPABLE = (Program.RUNNING, Program.FROZEN)


def advance(state: State, now: float) -> tuple[State, list[do.Effect]]:
    """The state with its lanes filled, and the effects that this starts."""
    effects: list[do.Effect] = []
    state = _settled(state, now)
    if state.tree is None and (tree := _tree_work(state, now)):
        state = _holding(replace(state, tree=tree), tree, now)
        effects.append(tree)
    if state.store is None and (store := _store_work(state)):
        state = replace(state, store=store)
        effects.append(store)
    if isinstance(state.store, do.StoreSave | do.StoreFetch) and _pointless(state) and not state.cancelling:
        effects.append(do.Cancel(state.store))
        state = replace(state, cancelling=True)
    state, renewal = _renewed(state, now)
    return state, effects + renewal


def _tree_work(state: State, now: float) -> do.TreeWork | None:
    if state.retry_at is not None and now < state.retry_at:
        return None
    if not state.network_up:
        return None if state.failure else do.NetUp()
    if state.resync and state.connected:
        return do.LauncherStatus()
    return _sever(state) or _resume(state) or _cut_on(state) or (_begin(state) if not state.failure else None)


def _sever(state: State) -> do.TreeWork | None:
    """Connections that left the job end as soon as the program can be told so."""
    return do.NetSever(state.strange) if state.strange and state.program is Program.RUNNING else None


def _resume(state: State) -> do.TreeWork | None:
    """What is left of undoing a cut, or of letting the program run on after it."""
    if _held(state) or state.program in _BEFORE_START or state.program is Program.RESTORED:
        return None
    if state.program is Program.FROZEN and state.connected:
        return do.LauncherThaw(state.cut.id if state.cut else "")
    return do.NetUnlock() if state.network_locked else None


def _held(state: State) -> bool:
    cut = state.cut
    if cut is None or cut.wishes.abort or not cut.holds:
        return False
    return not (cut.wishes.release and cut.dumped)


def _cut_on(state: State) -> do.TreeWork | None:
    """The next step of the cut, if nothing has gone wrong with it."""
    cut = state.cut
    if cut is None or not _held(state) or cut.failure:
        return None
    if not cut.locked:
        return _lock(state, cut)
    if not cut.dumped and state.program in _DUMPABLE and state.connected:
        return _stop(cut)
    if cut.wishes.leave and state.program is Program.FROZEN and state.connected:
        return do.LauncherLeave(cut.id)
    return None


def _stop(cut: Cut) -> do.TreeWork | None:
    if cut.wishes.dump:
        return do.LauncherDump(cut.id, cut.lease_seconds)
    return do.LauncherFreeze(cut.id, cut.lease_seconds) if cut.wishes.freeze and not cut.frozen else None


def _lock(state: State, cut: Cut) -> do.TreeWork | None:
    """The first barrier. The slow part comes before the network is locked, which may hold the program up."""
    if cut.prepared:
        return do.NetLock(cut.id)
    return do.LauncherPrepare(cut.id, cut.lease_seconds) if state.connected else None


def _begin(state: State) -> do.TreeWork | None:
    """What brings the program to its first step in this pod."""
    if not state.connected or state.program not in (Program.WAITING, Program.RESTORED):
        return None
    if state.restore:
        return _restore(state)
    if state.go is None:
        return None
    if not state.network_open:
        return do.NetOpen(state.go)
    return do.LauncherStart() if state.program is Program.WAITING else do.LauncherThaw("")


def _restore(state: State) -> do.TreeWork | None:
    if not state.fetched:
        return None
    return do.NetAdopt(state.strange) if state.strange and not state.adopted else do.LauncherRestore()


def _store_work(state: State) -> do.StoreWork | None:
    cut = state.cut
    if state.restore and not state.fetched and not state.failure and state.program in _BEFORE_START:
        return do.StoreFetch(state.restore)
    if cut and not cut.failure and not cut.wishes.abort:
        if cut.wishes.store and cut.dumped and not cut.stored:
            return do.StoreSave(cut.id)
        if cut.wishes.commit and cut.stored and not cut.committed:
            return do.StoreCommit(cut.id, cut.wishes.commit)
    if state.abandon:
        return do.StoreAbandon(state.abandon[0])
    # Deleting gigabytes takes its time; nothing of it may come between a frozen program and its commit.
    in_the_way = cut is not None and cut.holds and state.program is not Program.LEFT
    return do.RemoveImages(state.garbage) if state.garbage and not in_the_way else None


def _pointless(state: State) -> bool:
    """Whether nobody needs what the store lane is working on any more."""
    if isinstance(state.store, do.StoreFetch):
        return state.program not in _BEFORE_START
    cut = state.cut
    saved_for = state.store.cut if isinstance(state.store, do.StoreSave) else ""
    return cut is None or cut.id != saved_for or cut.wishes.abort


def _renewed(state: State, now: float) -> tuple[State, list[do.Effect]]:
    """Tell the launcher of a lease that is longer than the one it knows."""
    cut = state.cut
    if cut is None or not state.lease_runs() or not state.connected or cut.launcher_knows == cut.lease_until:
        return state, []
    if isinstance(state.tree, do.LauncherFreeze | do.LauncherDump):
        # It tells of the lease itself, and the launcher would hear of no other meanwhile.
        return state if cut.launcher_knows else state.with_cut(launcher_knows=cut.lease_until), []
    if state.program is not Program.FROZEN:
        return state, []
    renewal = do.LauncherRenew(cut.id, max(0.0, cut.lease_until - now))
    return state.with_cut(launcher_knows=cut.lease_until), [renewal]


def _holding(state: State, work: do.TreeWork, now: float) -> State:
    """The state with the moment noted from which on the program stands still, or does not hear its peers."""
    silences = isinstance(work, do.NetLock) and state.world > 1
    stops = silences or isinstance(work, do.LauncherFreeze | do.LauncherDump)
    if not stops or state.cut is None or state.cut.held_since is not None:
        return state
    return state.with_cut(held_since=now)


def _may_be_held(state: State) -> bool:
    """Whether the program stands still, or may do so as far as is known of what its launcher was asked."""
    if state.program in (Program.EXITED, Program.LEFT):
        return False
    return state.resync or not state.connected or state.program is Program.FROZEN


def _settled(state: State, now: float) -> State:
    """The state with a cut marked released or undone once nothing of it holds the program."""
    cut = state.cut
    if cut is None or cut.undone or state.tree or state.network_locked or _may_be_held(state):
        return state
    if cut.wishes.abort and not cut.committed:
        abandon = (*state.abandon, cut.id) if cut.wishes.store else state.abandon
        return replace(state, abandon=abandon).with_cut(undone=True).without_image(cut.id)
    if cut.released or not (cut.wishes.abort or (cut.wishes.release and cut.dumped)):
        return state
    stall = {"stall": round((now - cut.held_since) * 1000, 3)} if cut.held_since is not None else {}
    return state.with_cut(released=True, parts_ms={**cut.parts_ms, **stall})
