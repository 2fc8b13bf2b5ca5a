"""The capabilities in a pod are exactly those that the launcher gives CRIU: without one, no dump starts."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ergosphere.workload.launcher import CAPABILITIES, SAVING_CAPABILITIES
from ergosphere.workload.sidecar import agent_capabilities

ROOT = Path(__file__).parents[3]
LAUNCHER = ROOT / "launcher" / "internal" / "criu" / "capabilities.go"
DOCUMENT = ROOT / "docs" / "capabilities.md"


def test_the_pod_holds_what_the_launcher_requires() -> None:
    listed = LAUNCHER.read_text().split("RequiredCapabilities = []Capability{")[1].split("\n}")[0]
    assert set(CAPABILITIES) == set(re.findall(r'"([A-Z_]+)"', listed))


def test_the_document_has_each_of_them_and_what_fails_without_it() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| (.+) \| (.+) \|$", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == sorted(CAPABILITIES)


@pytest.mark.parametrize(
    ("heading", "held"),
    [("The agent", agent_capabilities()), ("A program that saves its own state", SAVING_CAPABILITIES)],
)
def test_the_document_has_those_of_others(heading: str, held: Sequence[str]) -> None:
    section = DOCUMENT.read_text().split(f"## {heading}")[1].split("\n## ")[0]
    assert set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b", section)) == set(held)
