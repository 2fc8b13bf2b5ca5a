"""The capabilities in a pod are exactly those that the launcher gives CRIU: without one, no dump starts."""

import re
from pathlib import Path

from ergosphere.workload.launcher import CAPABILITIES

LAUNCHER = Path(__file__).parents[3] / "launcher" / "internal" / "criu" / "capabilities.go"


def test_the_pod_holds_what_the_launcher_requires() -> None:
    listed = LAUNCHER.read_text().split("RequiredCapabilities = []Capability{")[1].split("\n}")[0]
    assert set(CAPABILITIES) == set(re.findall(r'"([A-Z_]+)"', listed))
