"""Every reason that a user may meet is explained."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reasons.md").read_text()
SOURCES = ("scheduling/*.py", "controller/*.py", "checkpoints/errors.py")
# Answers to the operator alone, which never shows them.
BETWEEN_PROGRAMS = {"CutUnknown", "InternalError", "InvalidCommand", "InvalidQuery"}


def in_python() -> set[str]:
    texts = [path.read_text() for name in SOURCES for path in (ROOT / "operator/ergosphere").glob(name)]
    said = r'(?:Cause|Waiting|Happening|\bend|record)\((?:[a-z]+, )?\s*(?:[A-Z]+, )?"([A-Z]\w+)"'
    named = r'reason(?:, message)? = "([A-Z]\w+)"|reason="([A-Z]\w+)"|return \(?\s*"([A-Z]\w+)", f?"'
    return {name for text in texts for found in re.findall(f"{said}|{named}", text) for name in found if name}


def in_the_launcher() -> set[str]:
    findings = (ROOT / "launcher/internal/criu/findings.go").read_text()
    return set(re.findall(r'`, "([A-Z]\w+)"', findings))


def test_there_are_reasons() -> None:
    assert {"NoRoom", "Placed", "WorkerFailed", "StoreFull", "Turn", "BackoffLimitExceeded"} <= in_python()
    assert {"IoUring", "FileChanged", "NoSpace"} <= in_the_launcher()


@pytest.mark.parametrize("reason", sorted((in_python() | in_the_launcher()) - BETWEEN_PROGRAMS))
def test_it_is_explained(reason: str) -> None:
    assert f"`{reason}`" in PAGE
