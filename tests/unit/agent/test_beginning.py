"""How a program comes to its first step in a pod: started fresh, or restored."""

import pytest

from ergosphere.agent import effects as do
from ergosphere.agent.errors import Refused
from ergosphere.agent.inputs import Connected, Exited
from ergosphere.agent.node import NodePlatform
from ergosphere.agent.origin import Origin
from ergosphere.api.agent import Exit, Go, Phase

HERE = NodePlatform(architecture="x86_64", kernel="6.18.1", cpu_flags=frozenset({"avx2", "sse2"}))
ORIGIN = Origin(platform=HERE)


def test_a_fresh_program_waits_for_go(rank):
    r = rank()
    assert r.report.phase is Phase.BOOTING
    r.done(do.NetUp).hear(Connected("Waiting"))
    assert (r.report.phase, r.begun) == (Phase.WAITING, [])
    r.tell(Go()).done(do.NetOpen).done(do.LauncherStart)
    assert r.report.phase is Phase.RUNNING


def test_a_second_go_starts_nothing(rank):
    r = rank().running().tell(Go())
    assert r.begun == []


def test_a_program_that_cannot_be_started_fails_the_worker(rank):
    r = rank().done(do.NetUp).hear(Connected("Waiting")).tell(Go()).done(do.NetOpen)
    r.fails(do.LauncherStart, "CommandNotFound")
    assert (r.report.phase, r.report.failure.reason) == (Phase.FAILED, "CommandNotFound")
    assert r.wait(60).begun == []


def test_go_must_name_every_rank(rank):
    r = rank(world=2).done(do.NetUp, locked=True).hear(Connected("Waiting"))
    with pytest.raises(Refused) as refusal:
        r.tell(Go(peers={0: "10.0.0.1"}))
    assert refusal.value.failure.reason == "WrongPeers"


def test_a_restore_fetches_before_the_launcher_is_there_and_stays_locked_until_go(rank):
    r = rank(restore="ns/job/a", world=2)
    assert r.asked() == ["NetUp", "StoreFetch"]
    assert r.report.phase is Phase.FETCHING
    r.done(do.NetUp, locked=True).done(do.StoreFetch, origin=ORIGIN, parts_ms={"fetch": 1.0})
    assert (r.report.phase, r.begun) == (Phase.FETCHING, [])
    r.hear(Connected("Waiting")).done(do.LauncherRestore, parts_ms={"files": 2.0, "restore": 3.0})
    assert r.report.phase is Phase.RESTORED
    assert r.report.restore_ms == {"fetch": 1.0, "files": 2.0, "restore": 3.0}
    assert r.begun == [do.RemoveImages(("_restore",))]
    assert r.state.network_locked
    peers = {0: "10.0.0.1", 1: "10.0.0.2"}
    r.done(do.RemoveImages).tell(Go(peers=peers))
    assert r.begun == [do.NetOpen(peers)]
    r.done(do.NetOpen)
    assert r.begun == [do.LauncherThaw("")]
    r.done(do.LauncherThaw)
    assert r.report.phase is Phase.RUNNING


def test_a_corrupt_checkpoint_is_refused_before_any_process_starts(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).hear(Connected("Waiting"))
    r.fails(do.StoreFetch, "CheckpointCorrupt").tell(Go())
    assert (r.report.phase, r.report.failure.reason) == (Phase.FAILED, "CheckpointCorrupt")
    assert r.begun == []


def test_a_checkpoint_from_a_better_node_is_refused_before_any_process_starts(rank):
    there = HERE.model_copy(update={"cpu_flags": frozenset({"avx2", "sse2", "avx512f"})})
    r = rank(restore="ns/job/a").done(do.NetUp).hear(Connected("Waiting"))
    r.done(do.StoreFetch, origin=Origin(platform=there))
    assert (r.report.phase, r.report.failure.reason) == (Phase.FAILED, "IncompatibleNode")
    assert "avx512f" in r.report.failure.message
    assert r.begun == []


def test_the_addresses_of_earlier_pods_are_there_before_the_restore_and_cut_off_after_the_thaw(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).hear(Connected("Waiting"))
    r.done(do.StoreFetch, origin=Origin(platform=HERE, addresses=("10.1.0.7",)))
    assert r.begun == [do.NetAdopt(("10.1.0.7",))]
    r.done(do.NetAdopt).done(do.LauncherRestore).tell(Go()).done(do.NetOpen).done(do.LauncherThaw)
    assert do.NetSever(("10.1.0.7",)) in r.begun
    r.done(do.NetSever).done(do.RemoveImages)
    assert r.begun == []


def test_an_agent_killed_before_it_cut_off_the_earlier_pods_does_so_afterwards(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).hear(Connected("Waiting"))
    r.done(do.StoreFetch, origin=Origin(platform=HERE, addresses=("10.1.0.7",)))
    r.done(do.NetAdopt).done(do.LauncherRestore).tell(Go()).done(do.NetOpen).done(do.LauncherThaw)
    r.restarts().done(do.NetUp).hear(Connected("Running"))
    assert r.asked() == ["NetSever"]


def test_a_failed_restore_fails_the_worker(rank):
    r = rank(restore="ns/job/a").done(do.NetUp).done(do.StoreFetch, origin=ORIGIN).hear(Connected("Waiting"))
    r.fails(do.LauncherRestore, "RestoreFailed")
    assert (r.report.phase, r.report.failure.reason, r.begun) == (Phase.FAILED, "RestoreFailed", [])


def test_the_end_of_the_program_is_reported(rank):
    r = rank().running().hear(Exited(Exit(code=137, signal=9)))
    assert (r.report.phase, r.report.exit) == (Phase.EXITED, Exit(code=137, signal=9))


def test_a_program_that_has_ended_is_not_taken_for_running_when_the_answer_to_its_start_comes_later(rank):
    r = rank().done(do.NetUp).hear(Connected("Waiting")).tell(Go()).done(do.NetOpen)
    r.hear(Exited(Exit(code=0))).done(do.LauncherStart)
    assert (r.report.phase, r.report.exit) == (Phase.EXITED, Exit(code=0))
