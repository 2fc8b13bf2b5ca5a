"""When garbage in the store is collected."""

from datetime import timedelta

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.controller.collecting import due, over

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_namespace_is_due_when_a_checkpoint_in_it_is_a_day_old() -> None:
    checkpoints = Scene().checkpoint("a", "Ready").checkpoint("b", "Failed").checkpoints
    assert due(checkpoints, NOW + DAY - HOUR) == set()
    assert due(checkpoints, NOW + DAY) == {"ns"}
    assert due([], NOW) == set()


@pytest.mark.parametrize(
    ("phase", "age", "expected"),
    [
        ("Succeeded", DAY - HOUR, False),
        ("Succeeded", DAY, True),
        ("Failed", HOUR / 2, False),
        ("Failed", HOUR, True),
        ("Running", HOUR / 2, False),
        ("Running", HOUR, True),
        ("Pending", HOUR / 2, False),
        ("Pending", HOUR, True),
        ("", HOUR, True),
    ],
)
def test_the_last_pod_makes_room_for_the_next(phase: str, age: timedelta, expected: bool) -> None:
    pod = {"metadata": {"creationTimestamp": "2026-01-01T12:00:00Z"}, "status": {"phase": phase}}
    assert over(pod, NOW + age) is expected
