"""An agent that is killed and started again while its program lives on."""

import pytest

from ergosphere.agent import effects as do
from ergosphere.agent.inputs import Connected, Gone
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.origin import Origin
from ergosphere.api.agent import Commit, CutStep, Dump, Exit, Freeze, Go, Phase, Store

HERE = NodePlatform(architecture="x86_64", kernel="6.18.1", cpu_flags=frozenset({"avx2", "sse2"}))
ORIGIN = Origin(platform=HERE)


def test_a_running_program_is_not_started_again(rank):
    r = rank().running().restarts()
    assert r.report.phase is Phase.UNKNOWN
    r.done(do.NetUp).hear(Connected("Running")).tell(Go())
    assert (r.report.phase, r.begun) == (Phase.RUNNING, [])


def test_a_restored_program_is_neither_fetched_nor_restored_again(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).done(do.StoreFetch, origin=ORIGIN)
    r.hear(Connected("Waiting")).done(do.LauncherRestore).restarts()
    assert r.asked() == ["NetUp"]
    r.done(do.NetUp).hear(Connected("Restored"))
    assert (r.report.phase, r.begun) == (Phase.RESTORED, [])


def test_a_fetched_image_is_restored_without_fetching_it_again(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).done(do.StoreFetch, origin=ORIGIN).restarts()
    r.done(do.NetUp).hear(Connected("Waiting"))
    assert r.asked() == ["LauncherRestore"]


def test_a_fetch_is_given_up_when_the_program_turns_out_to_run(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).hear(Connected("Running"))
    assert r.asked() == ["StoreFetch", "Cancel"]
    r.fails(do.StoreFetch, "Cancelled")
    assert (r.report.phase, r.report.failure) == (Phase.RUNNING, None)


def test_a_frozen_program_stays_in_its_cut(rank):
    r = rank().dumped().restarts().done(do.NetUp, locked=True).hear(Connected("Frozen", "c1"))
    assert (r.report.phase, r.report.cut.step, r.begun) == (Phase.FROZEN, CutStep.DUMPED, [])
    r.wait(16)
    assert r.asked() == ["LauncherThaw"]


def test_an_upload_goes_on(rank):
    r = rank().dumped().tell(Store(cut="c1")).restarts()
    assert r.asked() == ["NetUp", "StoreSave"]


def test_a_digest_survives_and_the_cut_can_be_committed_and_left(rank):
    r = rank().stored().restarts().done(do.NetUp, locked=True).hear(Connected("Frozen", "c1"))
    assert r.report.cut.digest == "d0"
    r.tell(Commit(cut="c1", digests=["d0"])).done(do.StoreCommit).leave().done(do.LauncherLeave)
    assert r.report.phase is Phase.LEFT


def test_a_dump_without_an_answer_is_asked_for_again(rank):
    r = rank().locked().tell(Dump(cut="c1")).restarts().done(do.NetUp, locked=True).hear(Connected("Running"))
    assert r.asked() == ["LauncherDump"]


def test_a_launcher_still_busy_with_the_dump_is_asked_until_it_is_done(rank):
    r = rank().locked().tell(Dump(cut="c1")).restarts().done(do.NetUp, locked=True).hear(Connected("Running"))
    r.fails(do.LauncherDump, "Busy")
    assert (r.begun, r.report.cut.failure) == ([], None)
    r.wait(0.1).done(do.LauncherStatus, status=Connected("Running")).fails(do.LauncherDump, "Busy")
    r.wait(0.1).done(do.LauncherStatus, status=Connected("Frozen", "c1")).done(do.LauncherDump, bytes=64)
    assert (r.report.phase, r.report.cut.step) == (Phase.FROZEN, CutStep.DUMPED)


def test_a_launcher_still_busy_with_the_restore_is_asked_until_it_is_done(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).done(do.StoreFetch, origin=ORIGIN).restarts().done(do.NetUp)
    r.hear(Connected("Waiting")).fails(do.LauncherRestore, "Busy")
    r.wait(0.1).done(do.LauncherStatus, status=Connected("Restored"))
    assert (r.report.phase, r.report.failure) == (Phase.RESTORED, None)


def test_a_launcher_still_busy_with_the_freeze_of_an_aborted_cut_is_waited_for(rank):
    r = rank(world=2).locked().tell(Freeze(cut="c1")).restarts().abort()
    r.done(do.NetUp, locked=True).hear(Connected("Running", busy=True))
    assert (r.begun, r.report.cut.step) == ([], CutStep.LOCKED)
    r.wait(0.1).done(do.LauncherStatus, status=Connected("Frozen", "c1"))
    r.done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)


def test_a_program_about_to_start_when_its_agent_was_killed_may_have_run(rank):
    r = rank().done(do.NetUp).hear(Connected("Waiting")).tell(Go()).done(do.NetOpen)
    assert r.restarts().report.phase is Phase.UNKNOWN
    r.done(do.NetUp).hear(Connected("Waiting"))
    assert (r.report.phase, r.restarts().report.phase) == (Phase.WAITING, Phase.BOOTING)


def test_a_network_that_cannot_be_looked_at_is_looked_at_again_under_a_running_program(rank):
    r = rank(world=2).locked().restarts().fails(do.NetUp).hear(Connected("Running"))
    assert (r.report.phase, r.report.failure, r.begun) == (Phase.RUNNING, None, [])
    assert r.wait(1).asked() == ["NetUp"]


def test_a_program_that_ran_on_meanwhile_fails_the_cut(rank):
    r = rank().dumped().restarts().done(do.NetUp, locked=True).hear(Connected("Running"))
    r.done(do.NetUnlock)
    assert (r.report.cut.step, r.report.cut.failure.reason) == (CutStep.ABORTED, "LeaseExpired")


def test_a_program_frozen_for_an_unknown_cut_is_thawed(rank):
    r = rank().running().restarts().done(do.NetUp, locked=True).hear(Connected("Frozen", "lost"))
    r.done(do.LauncherThaw).done(do.NetUnlock)
    assert (r.report.phase, r.report.cut.step) == (Phase.RUNNING, CutStep.ABORTED)
    assert r.report.cut.failure.reason == "CutUnknown"


def test_a_lock_left_behind_without_a_cut_is_taken_away(rank):
    r = rank().running().restarts().done(do.NetUp, locked=True).hear(Connected("Running"))
    assert r.asked() == ["NetUnlock"]


def test_a_launcher_that_ended_while_it_was_told_to_leave_has_left(rank):
    r = rank().committed().leave().restarts().done(do.NetUp, locked=True).hear(Gone())
    assert (r.report.phase, r.report.cut.step) == (Phase.LEFT, CutStep.COMMITTED)


def test_a_launcher_that_ended_untold_has_not_left(rank):
    r = rank().committed().restarts().done(do.NetUp, locked=True).hear(Gone())
    assert r.report.phase is Phase.UNKNOWN


def test_the_end_of_the_program_is_learnt_afterwards(rank):
    r = rank().running().restarts().done(do.NetUp).hear(Connected("Exited", "", Exit(code=1)))
    assert (r.report.phase, r.report.exit) == (Phase.EXITED, Exit(code=1))


@pytest.mark.parametrize("stage", ["running", "locked", "dumped", "stored", "committed"])
def test_versions_go_on_growing(rank, stage):
    r = getattr(rank(), stage)()
    version = r.report.version
    assert r.restarts().report.version > version
