"""Conditions: found by type, replaced by type, with a transition time that moves only with the status."""

from datetime import UTC, datetime

from ergosphere.api.meta import Condition, condition, is_true, with_condition

THEN, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def made(status: str, at: datetime, kind: str = "Running", reason: str = "Tested") -> Condition:
    return Condition(type=kind, status=status, last_transition_time=at, reason=reason)


def test_a_first_condition_is_added() -> None:
    assert with_condition([], made("True", NOW)) == [made("True", NOW)]


def test_a_new_reason_alone_is_no_transition() -> None:
    (after,) = with_condition([made("True", THEN)], made("True", NOW, reason="Other"))
    assert (after.reason, after.last_transition_time) == ("Other", THEN)


def test_a_new_status_is_a_transition() -> None:
    assert with_condition([made("True", THEN)], made("False", NOW)) == [made("False", NOW)]


def test_the_others_keep_their_place() -> None:
    others = [made("True", THEN, "A"), made("True", THEN, "B"), made("True", THEN, "C")]
    after = with_condition(others, made("False", NOW, "B"))
    assert [c.type for c in after] == ["A", "B", "C"]
    assert (others[0], others[2]) == (after[0], after[2])


def test_absent_and_unknown_are_not_true() -> None:
    assert condition([], "Running") is None
    assert not is_true([], "Running")
    assert not is_true([made("Unknown", THEN)], "Running")
