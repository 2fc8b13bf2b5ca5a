"""The protocol between operator and agents of different versions."""

import pytest
from pydantic import ValidationError

from ergosphere.api.agent import COMMAND, CutReport, Phase, Platform, Report

REPORT = Report(
    version=1,
    rank=0,
    incarnation=1,
    phase=Phase.RUNNING,
    platform=Platform(architecture="amd64", kernel="6.18", cpu_flags="f"),
    cut=CutReport(cut="c1"),
)


def test_what_a_newer_agent_adds_to_its_report_is_not_read() -> None:
    text = REPORT.model_dump_json().replace('"cut":"c1"', '"cut":"c1","mood":"good"')
    assert Report.model_validate_json(text) == REPORT


def test_a_report_says_nothing_of_what_there_is_nothing_to_say_of() -> None:
    assert "frozen" not in REPORT.model_dump_json(exclude_none=True)
    assert Report.model_validate_json(REPORT.model_dump_json(exclude_none=True)) == REPORT


def test_a_command_that_says_more_than_it_may_is_refused() -> None:
    with pytest.raises(ValidationError):
        COMMAND.validate_python({"kind": "Freeze", "cut": "c1", "softly": True})
