"""`ergo logs --rank` takes every rank that the job may have had."""

import json

import pytest
from tests.unit.cli.answering import answering, kubeconfig, refused
from tests.unit.controller.builders import Scene

from ergosphere.api.training_job import TrainingJob
from ergosphere.cli.logs import most_workers

ELASTIC = {"workers": 2, "elasticity": {"minWorkers": 1, "maxWorkers": 4}}


def job(scene):
    return TrainingJob.parse({**scene.body, "status": scene.status})


@pytest.mark.parametrize(
    ("scene", "most"),
    [
        (Scene(), 1),
        (Scene().spec(workers=3), 3),
        (Scene().spec(**ELASTIC), 4),
        (Scene().spec(**ELASTIC | {"workers": 8}), 8),
        (Scene().placed("n1", "n1", "n2").spec(workers=2), 3),
    ],
    ids=["alone", "rigid", "elastic", "more asked for than the most", "shrunk while it runs"],
)
def test_a_job_may_have_had_the_most_of_what_it_asks_for_may_grow_to_and_has(scene, most):
    assert most_workers(job(scene)) == most


def test_the_first_rank_beyond_those_of_a_grown_job_is_refused(tmp_path):
    raw = json.dumps(Scene().spec(**ELASTIC).body).encode()
    with answering(raw) as server:
        told = refused(kubeconfig(tmp_path, server), "logs", "a", "--rank", "4")
    assert told == (1, "error: --rank must be less than 4: a has no more workers than that")
