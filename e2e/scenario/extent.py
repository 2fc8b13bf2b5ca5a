"""Whether a run of the tests was a whole one, so that what never happened in it can be judged."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """The files of tests that there are and those that ran; whether tests were picked, and how many failed.

    `standing` says that the cluster was there before: what happens only once happened then.
    """

    there: Set[str]
    ran: Set[str]
    picked: bool
    failed: int
    standing: bool


def missing(extent: Extent) -> str:
    """Why the run was not a whole one; empty when it was."""
    if extent.standing:
        return "the cluster stood before (ERGO_E2E_CLUSTER)"
    if left_out := sorted(extent.there - extent.ran):
        return f"{', '.join(left_out)} did not run"
    if extent.picked:
        return "some tests were not selected"
    return f"{extent.failed} tests failed" if extent.failed else ""
