"""Whom the operator looks at although nothing happened."""

import pytest
from tests.unit.controller.builders import NOW, Scene

from ergosphere.api.training_job import TrainingJob
from ergosphere.controller.rounds import due

Key = tuple[str, str]


def calm(number: int) -> dict[Key, TrainingJob]:
    """Jobs that run as they are to."""
    job = Scene().placed("n1", ran=True).view().job
    return {("ns", f"job-{i}"): job for i in range(number)}


@pytest.mark.parametrize(("number", "rounds"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (9999, 10)])
def test_every_calm_job_comes_once_in_so_many_rounds(number: int, rounds: int) -> None:
    jobs = calm(number)
    seen = [key for turn in range(7, 7 + rounds) for key in due(jobs, turn)]
    assert sorted(seen) == sorted(jobs)
    assert all(len(due(jobs, turn)) <= 1000 for turn in range(rounds))


@pytest.mark.parametrize(
    "restless",
    [
        Scene().placed("n1"),
        Scene().placed("n1", ran=True).cutting(),
        Scene().placed("n1", ran=True, incarnation=2, ranIncarnation=1),
    ],
    ids=["starting", "being cut", "restored"],
)
def test_who_is_on_its_way_comes_in_every_round(restless: Scene) -> None:
    jobs = calm(3000) | {("ns", "restless"): restless.view().job}
    assert all(("ns", "restless") in due(jobs, turn) for turn in range(10))


@pytest.mark.parametrize(("ttl", "comes"), [(None, False), (60, True)])
def test_of_finished_jobs_only_those_come_that_expire(ttl: int | None, comes: bool) -> None:
    scene = Scene().spec(ttlSecondsAfterFinished=ttl)
    done = {"type": "Complete", "status": "True", "reason": "Completed", "observedGeneration": 1}
    scene.status["conditions"] = [done | {"lastTransitionTime": NOW.isoformat()}]
    assert bool(due({("ns", "done"): scene.view().job}, 1)) is comes
