"""The audit log's files are read as one, the oldest first."""

from pathlib import Path

from cluster import audit


def test_a_file_that_was_rotated_away_is_read_before_the_present_one(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_text("second\n")
    (tmp_path / "audit-2026-01-01T12-00-00.000.log").write_text("first\n")
    (tmp_path / "audit.yaml").write_text(audit.POLICY)
    assert audit.read(tmp_path) == "first\nsecond\n"


def test_a_cluster_without_a_log_has_an_empty_one(tmp_path: Path) -> None:
    assert audit.read(tmp_path / "none") == ""
