"""What never happened in a run can be judged only when everything ran."""

from dataclasses import replace

from scenario.extent import Extent, missing

WHOLE = Extent(there={"a", "b"}, ran={"a", "b"}, picked=False, failed=0, standing=False)


def test_a_whole_run_can_be_judged() -> None:
    assert missing(WHOLE) == ""


def test_a_run_of_a_part_says_what_it_lacks() -> None:
    assert missing(replace(WHOLE, ran={"a"})) == "b did not run"
    assert missing(replace(WHOLE, picked=True)) == "some tests were not selected"
    assert missing(replace(WHOLE, failed=2)) == "2 tests failed"
    assert "ERGO_E2E_CLUSTER" in missing(replace(WHOLE, standing=True))
