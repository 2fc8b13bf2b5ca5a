"""One rank's part in the cut of a program that saves its own state."""

from ergosphere.agent import effects as do
from ergosphere.agent.inputs import Connected, Exited, Thawed
from ergosphere.api.agent import Commit, CutStep, Dump, Exit, Go, Phase, Store


def test_the_program_is_prepared_and_its_network_stays_open(rank):
    r = rank(cooperative=True).running().lock()
    assert r.begun == [do.LauncherPrepare("c1", 15.0)]
    r.done(do.LauncherPrepare, parts_ms={"prepare": 1.0})
    assert (r.report.cut.step, r.state.network_locked) == (CutStep.LOCKED, False)
    r.tell(Dump(cut="c1")).done(do.LauncherDump, bytes=64)
    assert (r.report.phase, r.report.cut.step) == (Phase.FROZEN, CutStep.DUMPED)
    r.tell(Store(cut="c1")).done(do.StoreSave, digest="d0").tell(Commit(cut="c1", digests=["d0"]))
    r.done(do.StoreCommit).leave().done(do.LauncherLeave)
    assert r.report.phase is Phase.LEFT


def test_a_staying_program_is_thawed_and_nothing_is_unlocked(rank):
    r = rank(cooperative=True).running().lock().done(do.LauncherPrepare)
    r.tell(Dump(cut="c1")).done(do.LauncherDump).release()
    assert r.asked() == ["LauncherThaw"]
    r.done(do.LauncherThaw)
    assert (r.report.phase, r.report.cut.released, r.begun) == (Phase.RUNNING, True, [])


def test_a_program_that_does_not_handle_the_signal_is_not_asked_and_runs_on(rank):
    r = rank(cooperative=True).running().lock().fails(do.LauncherPrepare, "SignalNotHandled")
    assert (r.report.phase, r.report.cut.failure.reason) == (Phase.RUNNING, "SignalNotHandled")
    r.tell(Dump(cut="c1"))
    assert r.begun == []
    r.abort()
    assert r.report.cut.step is CutStep.ABORTED


def test_a_program_that_ended_for_an_aborted_cut_was_started_again_by_the_launcher(rank):
    r = rank(cooperative=True).running().lock().done(do.LauncherPrepare).abort()
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    r.hear(Thawed("", "LeaseExpired"))
    assert r.report.phase is Phase.RUNNING


def test_a_program_that_fails_to_save_fails_the_cut_and_has_ended(rank):
    r = rank(cooperative=True).running().lock().done(do.LauncherPrepare).tell(Dump(cut="c1"))
    r.fails(do.LauncherDump, "NotSaved").hear(Exited(Exit(code=3)))
    assert (r.report.phase, r.report.cut.failure.reason) == (Phase.EXITED, "NotSaved")


def test_what_was_saved_is_restored_on_any_node_and_starts_when_all_are_ready(rank):
    r = rank(cooperative=True, restore="ns/job/a").done(do.NetUp).hear(Connected("Waiting"))
    r.done(do.StoreFetch, parts_ms={"fetch": 1.0})
    assert r.begun == [do.LauncherRestore()]
    r.done(do.LauncherRestore)
    assert r.report.phase is Phase.RESTORED
    r.tell(Go()).done(do.NetOpen)
    assert do.LauncherThaw("") in r.begun
    r.done(do.LauncherThaw)
    assert r.report.phase is Phase.RUNNING


def test_an_agent_killed_while_the_program_saves_asks_again(rank):
    r = rank(cooperative=True).running().lock().done(do.LauncherPrepare).tell(Dump(cut="c1"))
    r.restarts().done(do.NetUp).hear(Connected("Running"))
    assert r.begun == [do.LauncherDump("c1", 15.0)]
