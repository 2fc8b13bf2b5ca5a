"""One rank's part of a cut, from Lock to Leave or Release."""

import pytest

from ergosphere.agent import effects as do
from ergosphere.agent.errors import Refused
from ergosphere.agent.inputs import Connected, Disconnected, Exited, Terminating, Thawed
from ergosphere.api.agent import Commit, CutStep, Dump, Exit, Freeze, Phase, Store


def test_a_leaving_rank_goes_through_every_step(rank):
    r = rank().running()
    assert r.report.phase is Phase.RUNNING
    r.lock()
    assert r.begun == [do.LauncherPrepare("c1", 15.0)]
    r.done(do.LauncherPrepare, parts_ms={"prepare": 0.5})
    assert (r.asked(), r.report.cut.step) == (["NetLock"], None)
    r.done(do.NetLock, parts_ms={"lock": 1.0})
    assert r.report.cut.step is CutStep.LOCKED
    r.tell(Dump(cut="c1"))
    assert r.begun == [do.LauncherDump("c1", 15.0)]
    r.done(do.LauncherDump, parts_ms={"freeze": 1.0, "dump": 2.0, "files": 3.0}, bytes=64)
    assert (r.report.cut.step, r.report.phase) == (CutStep.DUMPED, Phase.FROZEN)
    r.tell(Store(cut="c1")).done(do.StoreSave, digest="d0", bytes=70, new_bytes=7, parts_ms={"store": 4.0})
    assert (r.report.cut.step, r.report.cut.digest, r.report.cut.new_bytes) == (CutStep.STORED, "d0", 7)
    r.tell(Commit(cut="c1", digests=["d0"]))
    assert r.begun == [do.StoreCommit("c1", ("d0",))]
    r.done(do.StoreCommit, parts_ms={"commit": 5.0})
    assert r.report.cut.step is CutStep.COMMITTED
    r.leave().done(do.LauncherLeave)
    assert (r.report.phase, r.report.cut.released) == (Phase.LEFT, False)
    assert r.begun == [do.RemoveImages(("c1",))]
    assert r.report.cut.parts_ms == {
        "prepare": 0.5,
        "lock": 1.0,
        "freeze": 1.0,
        "dump": 2.0,
        "files": 3.0,
        "store": 4.0,
        "commit": 5.0,
    }


def test_a_rank_of_a_gang_stands_still_before_it_is_dumped(rank):
    r = rank(world=2).locked()
    assert r.report.cut.frozen is False
    r.tell(Freeze(cut="c1"))
    assert r.begun == [do.LauncherFreeze("c1", 15.0)]
    r.done(do.LauncherFreeze, parts_ms={"freeze": 1.0})
    assert (r.report.phase, r.report.cut.step, r.report.cut.frozen) == (Phase.FROZEN, CutStep.LOCKED, True)
    r.tell(Freeze(cut="c1"))
    assert r.begun == []
    r.tell(Dump(cut="c1")).done(do.LauncherDump, parts_ms={"freeze": 1.0, "dump": 2.0}, bytes=64)
    assert (r.report.phase, r.report.cut.step, r.report.cut.frozen) == (Phase.FROZEN, CutStep.DUMPED, True)


@pytest.mark.parametrize("facts", [{"world": 1}, {"world": 2, "cooperative": True}], ids=["alone", "saving"])
def test_one_that_has_nobody_to_wait_for_is_frozen_and_dumped_in_one(rank, facts):
    r = rank(**facts).running().lock().done(do.LauncherPrepare)
    assert r.report.cut.frozen is None


def test_a_frozen_rank_is_thawed_by_an_abort(rank):
    r = rank(world=2).frozen().abort().done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)


def test_a_frozen_rank_whose_dump_fails_runs_on(rank):
    r = rank(world=2).frozen().tell(Dump(cut="c1")).fails(do.LauncherDump, "UnsupportedSocket")
    r.done(do.LauncherStatus, status=Connected("Running")).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert r.report.cut.failure.reason == "UnsupportedSocket"


def test_a_frozen_rank_whose_lease_ends_is_thawed_and_is_dumped_no_more(rank):
    r = rank(world=2).frozen().wait(15.0)
    assert r.asked() == ["LauncherThaw"]
    r.tell(Dump(cut="c1")).done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)


def test_a_frozen_rank_that_its_launcher_let_run_on_fails_its_cut(rank):
    r = rank(world=2).frozen().hear(Thawed("c1", "LeaseExpired"))
    assert r.report.cut.failure.reason == "LeaseExpired"
    assert r.tell(Dump(cut="c1")).done(do.NetUnlock).report.cut.step is CutStep.ABORTED


def test_an_agent_that_comes_back_to_a_frozen_program_goes_on_with_its_cut(rank):
    r = rank(world=2).locked().tell(Freeze(cut="c1")).restarts()
    r.done(do.NetUp, locked=True).hear(Connected("Frozen", "c1"))
    assert r.asked() == ["LauncherFreeze"]
    assert r.done(do.LauncherFreeze).report.cut.frozen is True


def test_a_staying_rank_runs_on_before_its_image_is_stored(rank):
    r = rank().dumped().release()
    assert r.asked() == ["LauncherThaw"]
    r.done(do.LauncherThaw)
    assert not r.report.cut.released
    r.done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step, r.report.cut.released) == (Phase.RUNNING, CutStep.DUMPED, True)
    r.tell(Store(cut="c1")).done(do.StoreSave, digest="d0")
    r.tell(Commit(cut="c1", digests=["d0"])).done(do.RemoveImages).done(do.StoreCommit)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.COMMITTED)
    assert r.begun == []


def test_commands_sent_ahead_of_time_are_carried_out_in_order(rank):
    r = rank().running().lock().tell(Dump(cut="c1")).tell(Store(cut="c1"))
    assert r.asked() == ["LauncherPrepare"]
    r.done(do.LauncherPrepare).done(do.NetLock)
    assert r.asked() == ["LauncherDump"]
    r.done(do.LauncherDump)
    assert r.asked() == ["StoreSave"]


@pytest.mark.parametrize("stage", ["locked", "dumped", "stored", "committed"])
def test_a_repeated_command_changes_nothing(rank, stage):
    r = getattr(rank(), stage)()
    before, begun = r.state, list(r.begun)
    r.lock()
    if stage != "locked":
        r.tell(Dump(cut="c1"))
    if stage in ("stored", "committed"):
        r.tell(Store(cut="c1"))
    if stage == "committed":
        r.tell(Commit(cut="c1", digests=["d0"]))
    assert (r.state, r.begun) == (before, begun)


def test_a_failed_dump_leaves_the_program_running_and_says_why(rank):
    r = rank().locked().tell(Dump(cut="c1")).fails(do.LauncherDump, "UnsupportedSocket")
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.LOCKED)
    assert r.report.cut.failure.reason == "UnsupportedSocket"
    assert r.begun == []
    r.abort().done(do.NetUnlock)
    assert (r.report.cut.step, r.report.cut.failure.reason) == (CutStep.ABORTED, "UnsupportedSocket")


def test_an_abort_during_the_dump_thaws_as_soon_as_it_ends(rank):
    r = rank().locked().tell(Dump(cut="c1")).abort()
    assert r.asked() == ["LauncherDump"]
    r.done(do.LauncherDump)
    assert r.asked() == ["LauncherThaw"]
    r.done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert r.begun == [do.RemoveImages(("c1",))]


def test_an_abort_during_the_upload_thaws_at_once_and_disowns_the_upload(rank):
    r = rank().dumped().tell(Store(cut="c1")).abort()
    assert r.asked() == ["StoreSave", "LauncherThaw", "Cancel"]
    r.done(do.LauncherThaw).done(do.NetUnlock)
    assert r.report.cut.step is CutStep.ABORTED
    r.fails(do.StoreSave, "Cancelled").done(do.StoreAbandon).done(do.RemoveImages)
    assert r.report.cut.failure.reason == "OperatorSaysSo"


def test_a_store_that_fails_keeps_a_leaving_rank_frozen_until_the_abort(rank):
    r = rank().dumped().tell(Store(cut="c1")).fails(do.StoreSave, "StoreFull")
    assert (r.report.phase, r.report.cut.failure.reason) == (Phase.FROZEN, "StoreFull")
    r.abort().done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)


def test_a_store_that_fails_does_not_disturb_a_staying_rank(rank):
    r = rank().dumped().release().done(do.LauncherThaw).done(do.NetUnlock)
    r.tell(Store(cut="c1")).fails(do.StoreSave, "StoreUnavailable")
    assert (r.report.phase, r.report.cut.failure.reason) == (Phase.RUNNING, "StoreUnavailable")
    r.abort()
    assert r.report.cut.step is CutStep.ABORTED
    assert r.asked() == ["StoreAbandon"]


def test_without_renewal_the_lease_ends_the_cut(rank):
    r = rank().dumped().wait(14.9)
    assert r.report.phase is Phase.FROZEN
    r.wait(0.2).done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert r.report.cut.failure.reason == "LeaseExpired"


def test_a_lock_alone_is_undone_when_its_lease_ends(rank):
    r = rank().locked().wait(15).done(do.NetUnlock)
    assert (r.report.cut.step, r.report.cut.failure.reason) == (CutStep.ABORTED, "LeaseExpired")


def test_a_renewed_lease_holds_and_the_launcher_hears_of_it(rank):
    r = rank().dumped().wait(10).renew()
    assert r.begun == [do.LauncherRenew("c1", 15.0)]
    r.done(do.LauncherRenew).wait(14)
    assert r.report.phase is Phase.FROZEN


def test_a_lease_renewed_during_the_dump_is_passed_on_after_it(rank):
    r = rank().locked().tell(Dump(cut="c1")).wait(5).renew()
    assert r.asked() == ["LauncherDump"]
    r.wait(5).done(do.LauncherDump)
    assert r.begun == [do.LauncherRenew("c1", 10.0)]


def test_a_lease_does_not_undo_what_was_released_or_is_leaving(rank):
    released = rank().dumped().release().done(do.LauncherThaw).done(do.NetUnlock).wait(100)
    assert released.report.cut.failure is None
    leaving = rank().committed().leave().wait(100)
    assert leaving.report.cut.failure is None


def test_the_launcher_thawing_by_itself_fails_the_cut(rank):
    r = rank().dumped().hear(Thawed("c1", "LeaseExpired")).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert r.report.cut.failure.reason == "LeaseExpired"


def test_a_committed_cut_stays_committed_when_the_program_is_let_run_on(rank):
    r = rank().committed().wait(20).done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.cut.step, r.report.cut.released) == (CutStep.COMMITTED, True)
    assert r.report.phase is Phase.RUNNING


@pytest.mark.parametrize("stage", ["locked", "dumped"])
def test_leave_is_refused_before_the_image_is_stored(rank, stage):
    r = getattr(rank(), stage)()
    with pytest.raises(Refused) as refusal:
        r.leave()
    assert refusal.value.failure.reason == "NotStored"


def test_leave_is_refused_after_the_program_was_let_run_on(rank):
    r = rank().stored().release()
    with pytest.raises(Refused) as refusal:
        r.leave()
    assert refusal.value.failure.reason == "NotFrozen"


@pytest.mark.parametrize("digests", [[], ["other"], ["d0", "d1"]])
def test_commit_is_refused_with_digests_that_cannot_be_right(rank, digests):
    with pytest.raises(Refused) as refusal:
        rank().stored().tell(Commit(cut="c1", digests=digests))
    assert refusal.value.failure.reason == "WrongDigests"


def test_a_second_cut_waits_for_the_first_to_let_go(rank):
    r = rank().locked()
    with pytest.raises(Refused) as refusal:
        r.lock("c2")
    assert refusal.value.failure.reason == "CutInProgress"
    r.abort().done(do.NetUnlock).lock("c2")
    assert r.report.cut.cut == "c2"


def test_a_new_cut_supersedes_one_whose_upload_still_runs(rank):
    r = rank().dumped().release().done(do.LauncherThaw).done(do.NetUnlock).tell(Store(cut="c1")).lock("c2")
    assert r.asked() == ["StoreSave", "LauncherPrepare", "Cancel"]
    r.fails(do.StoreSave, "Cancelled")
    assert (r.report.cut.cut, r.report.cut.failure) == ("c2", None)
    r.abort("c2").done(do.LauncherPrepare)
    assert do.RemoveImages(("c1", "c2")) in r.begun


def test_a_late_command_cannot_revive_a_finished_cut(rank):
    r = rank().locked().abort().done(do.NetUnlock).done(do.RemoveImages)
    r.lock("c1")
    assert r.report.cut.step is CutStep.ABORTED
    r.lock("c2").done(do.LauncherPrepare).done(do.NetLock).lock("c1").tell(Dump(cut="c1"))
    assert (r.report.cut.cut, r.begun) == ("c2", [])


def test_an_abort_of_a_cut_that_never_came_here_is_reported_and_keeps_it_away(rank):
    r = rank().running().abort("c9")
    assert (r.report.cut.cut, r.report.cut.step) == ("c9", CutStep.ABORTED)
    r.lock("c9")
    assert r.begun == []


def test_a_lock_before_the_program_runs_fails_the_cut(rank):
    r = rank().done(do.NetUp).hear(Connected("Waiting")).lock()
    assert (r.report.cut.failure.reason, r.begun) == ("NotRunning", [])


def test_a_program_that_ends_during_the_lock_fails_the_cut(rank):
    r = rank().locked().hear(Exited(Exit(code=0))).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.EXITED, CutStep.ABORTED)
    assert r.report.cut.failure.reason == "ProgramExited"


def test_a_program_that_ends_after_release_still_has_its_image_stored(rank):
    r = rank().dumped().release().done(do.LauncherThaw).done(do.NetUnlock).tell(Store(cut="c1"))
    r.hear(Exited(Exit(code=3))).done(do.StoreSave, digest="d0")
    assert (r.report.phase, r.report.exit.code, r.report.cut.step) == (Phase.EXITED, 3, CutStep.STORED)


def test_a_failed_thaw_is_tried_again_after_asking_where_the_program_stands(rank):
    r = rank().dumped().abort().fails(do.LauncherThaw)
    assert r.begun == []
    r.wait(1.0).done(do.LauncherStatus, status=Connected("Frozen", "c1")).done(do.LauncherThaw)
    assert r.report.phase is Phase.RUNNING


def test_a_failed_lock_is_never_taken_for_a_lock(rank):
    r = rank().running().lock().tell(Dump(cut="c1")).done(do.LauncherPrepare)
    r.fails(do.NetLock, "NetworkFailed")
    assert (r.report.cut.step, r.report.cut.failure.reason, r.begun) == (None, "NetworkFailed", [])


def test_a_cut_that_the_launcher_is_not_ready_for_locks_nothing(rank):
    r = rank().running().lock().tell(Dump(cut="c1")).fails(do.LauncherPrepare, "CheckpointerMissing")
    assert (r.report.cut.failure.reason, r.begun) == ("CheckpointerMissing", [])


def test_a_cut_that_is_undone_while_the_launcher_gets_ready_locks_nothing(rank):
    r = rank().running().lock().abort().done(do.LauncherPrepare)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert "NetLock" not in r.asked()


def test_the_network_is_unlocked_even_while_the_launcher_is_away(rank):
    r = rank().locked().hear(Disconnected()).abort()
    assert r.asked() == ["NetUnlock"]


def test_termination_is_reported(rank):
    r = rank().running()
    version = r.report.version
    r.hear(Terminating())
    assert r.report.terminating
    assert r.report.version > version


def test_a_program_that_was_killed_as_its_dump_was_answered_is_not_taken_for_frozen(rank):
    r = rank().locked().tell(Dump(cut="c1")).hear(Exited(Exit(code=137, signal=9))).done(do.LauncherDump)
    assert r.report.phase is Phase.EXITED


def test_a_single_worker_is_held_up_from_its_dump_until_it_runs_again(rank):
    r = rank().locked().wait(1).tell(Dump(cut="c1")).wait(2).done(do.LauncherDump)
    r.release().wait(3).done(do.LauncherThaw).done(do.NetUnlock)
    assert r.report.cut.parts_ms["stall"] == 5000
    r.wait(10)
    assert r.report.cut.parts_ms["stall"] == 5000


def test_a_rank_of_a_gang_is_held_up_from_the_lock_of_its_network(rank):
    r = rank(world=2).running().lock().wait(5).done(do.LauncherPrepare).wait(1).done(do.NetLock).wait(1)
    r.tell(Dump(cut="c1")).wait(2).done(do.LauncherDump).release().wait(3).done(do.LauncherThaw).done(
        do.NetUnlock
    )
    assert r.report.cut.parts_ms["stall"] == 7000
