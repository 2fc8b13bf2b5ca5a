"""The capabilities in a pod are exactly those that the launcher gives CRIU: without one, no dump starts."""

import re
from pathlib import Path

from ergosphere.workload.launcher import CAPABILITIES
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


def test_the_document_has_those_of_the_agent() -> None:
    section = DOCUMENT.read_text().split("## The agent")[1].split("\n## ")[0]
    assert set(re.findall(r"[A-Z]+(?:_[A-Z]+)*(?=[, |])", section)) == set(agent_capabilities())
