"""The logs of a job as a scenario reads them, while its pods come up."""

import subprocess
from pathlib import Path
from typing import IO, Any

import pytest

from scenario.joblogs import JobLogs


class Kubectl:
    """One that lists two pods, whose logs are empty."""

    def stream(self, *arguments: str, into: IO[str] | int) -> "subprocess.Popen[str]":
        lines = "1 0 a-1-0 true <none>\n1 1 a-1-1 true <none>\n" if "get" in arguments else ""
        return subprocess.Popen(["printf", "%s", lines], stdout=into, text=True)


def test_a_log_that_is_known_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl: Any = Kubectl()
    logs = JobLogs(kubectl, "ns", "a", "main", tmp_path)
    seen: list[int] = []
    opened = Path.open

    def read_before(path: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "w":
            seen.append(len(logs.by_rank()))
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", read_before)
    with logs:
        logs._thread.join()
        assert logs.finish() == ["", ""]
    assert seen == [0, 1]
