"""Every reason that a user may meet is explained."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reasons.md").read_text()
SOURCES = ("scheduling/*.py", "controller/*.py", "agent/*.py", "checkpoints/errors.py")
# Answers to the operator alone, which logs them at most, and after which it asks for something else.
TO_THE_OPERATOR = {
    "CutInProgress",
    "CutUnknown",
    "InvalidCommand",
    "InvalidQuery",
    "NotStored",
    "UnknownCut",
    "WrongDigests",
    "WrongPeers",
}
# Of these the agent says nothing: it asks the launcher again.
TO_THE_AGENT = {"Busy", "LauncherLost"}
BETWEEN_PROGRAMS = TO_THE_OPERATOR | TO_THE_AGENT


def in_python() -> set[str]:
    texts = [path.read_text() for name in SOURCES for path in (ROOT / "operator/ergosphere").glob(name)]
    said = r'(?:Cause|Waiting|Happening|\bend|record)\((?:[a-z]+, )?\s*(?:[A-Z]+, )?"([A-Z]\w+)"'
    named = (
        r'reason(?:, message|: [\w\[\]]+)? = "([A-Z]\w+)"|reason="([A-Z]\w+)"|return \(?\s*"([A-Z]\w+)", f?"'
    )
    otherwise = r'(?<!warning) else \(?"([A-Z]\w+)"|_with\([^"\n]*"([A-Z]\w+)"'
    raised = r'(?:Refused|[A-Z]\w+Failed|__init__)\(\s*"([A-Z]\w+)"'
    return {
        name
        for text in texts
        for found in re.findall(f"{said}|{named}|{raised}|{otherwise}", text)
        for name in found
        if name
    }


def in_the_launcher() -> set[str]:
    sources = [path for path in (ROOT / "launcher").rglob("*.go") if not path.name.endswith("_test.go")]
    text = "\n".join(path.read_text() for path in sources)
    refused = r'(?:protocol\.Failed|failure)\(\s*"([A-Z]\w+)"'
    # What CRIU says, and the kinds of open files that it cannot save.
    found = r'`, "([A-Z]\w+)"|\{"[^"]+", "([A-Z]\w+)", "|return "([A-Z]\w+)", fmt'
    return {name for names in re.findall(f"{refused}|{found}", text) for name in names if name}


def test_there_are_reasons() -> None:
    assert {"NoRoom", "Placed", "WorkerFailed", "StoreFull", "Turn", "BackoffLimitExceeded"} <= in_python()
    assert {"InternalError", "NetworkFailed", "StoreFailed", "WrongDigests", "Cancelled"} <= in_python()
    assert {"NotSuspended", "Stored", "CutFailed", "NotCreated"} <= in_python()
    assert {"IoUring", "FileChanged", "NoSpace", "PerfEvents", "UnsupportedFile"} <= in_the_launcher()
    assert {"NothingSaved", "MessageQueue", "ImageDamaged", "LauncherFailed"} <= in_the_launcher()


def test_none_is_left_out_that_nobody_says_any_more() -> None:
    assert in_python() | in_the_launcher() >= BETWEEN_PROGRAMS


@pytest.mark.parametrize("reason", sorted((in_python() | in_the_launcher()) - BETWEEN_PROGRAMS))
def test_it_is_explained(reason: str) -> None:
    assert f"`{reason}`" in PAGE
