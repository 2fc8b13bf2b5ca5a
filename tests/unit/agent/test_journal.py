"""The journal's file. Its contents are tested by what restarted agents make of them."""

import pytest

from ergosphere.agent.journal import Journal, JournalFile
from ergosphere.agent.state import Cut, Wishes
from ergosphere.api.agent import Failure

JOURNAL = Journal(
    cut=Cut(
        "c1",
        5.0,
        15.0,
        Wishes(dump=True, commit=("d0", "d1")),
        locked=True,
        failure=Failure(reason="Broken", message="It broke."),
        parts_ms={"lock": 1.5},
    ),
    past=("c0",),
    fetched=True,
    strange=("10.0.0.1",),
)


def test_what_was_written_is_read(tmp_path):
    JournalFile(tmp_path / "agent.json").write(JOURNAL)
    assert JournalFile(tmp_path / "agent.json").read() == JOURNAL


def test_without_a_file_nothing_is_known(tmp_path):
    assert JournalFile(tmp_path / "agent.json").read() == Journal()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cut": {"id": 5}}', "\x00\xff"])
def test_an_unreadable_file_is_said_to_be_so_and_nothing_is_known(tmp_path, caplog, text):
    (tmp_path / "agent.json").write_text(text)
    assert JournalFile(tmp_path / "agent.json").read() == Journal()
    assert "cannot be read" in caplog.text


def test_a_disk_that_takes_no_more_does_not_stop_the_agent(tmp_path, caplog):
    file = JournalFile(tmp_path / "no-such-directory" / "agent.json")
    file.write(JOURNAL)
    assert "cannot be written" in caplog.text
    (tmp_path / "no-such-directory").mkdir()
    file.write(JOURNAL)
    assert file.read() == JOURNAL
