"""Everything fails at random for a while; in the end every job has the right answer and nothing is left."""

import os
import random

from cluster.__main__ import provider
from ergosphere.api.training_job_status import JobPhase
from scenario.chaos import Chaos
from scenario.jobs import Job, StartDigits, StartGang
from scenario.kubectl import Kubectl
from scenario.leftovers import leftovers
from scenario.losses import Step, first_difference
from scenario.waiting import until

SECONDS = float(os.environ.get("ERGO_CHAOS_SECONDS", "120"))
SEED = int(os.environ.get("ERGO_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
SAVED = {"checkpoint": {"intervalSeconds": 5, "keep": 2, "deletionPolicy": "Delete"}, "backoffLimit": 0}


def test_jobs_survive_chaos(
    start_digits: StartDigits,
    start_ddp: StartGang,
    reference: list[Step],
    ddp_reference: list[Step],
    kubectl: Kubectl,
    cluster: str,
) -> None:
    print(f"\n  chaos for {SECONDS:.0f} s; the same again: ERGO_CHAOS_SEED={SEED}", flush=True)
    paced = ["--pace", str(SECONDS / len(ddp_reference) / 2)]
    jobs = {
        start_ddp("gang", options=paced, **SAVED): ddp_reference,
        start_digits("one", steps=1000, options=["--pace", str(SECONDS / 2000)], **SAVED): reference[:1000],
        start_digits("two", steps=1000, options=["--pace", str(SECONDS / 2000)], **SAVED): reference[:1000],
    }
    for job in jobs:
        job.until_step(1)
    Chaos(kubectl, provider(), cluster, list(jobs), random.Random(SEED)).rage(SECONDS)
    for job, expected in jobs.items():
        job.until_phase(JobPhase.SUCCEEDED, timeout=600)
        assert first_difference(job.steps_with_repetitions(), expected) == ""
        assert job.read().status.failures == 0
    for job in jobs:
        kubectl.run("delete", "trainingjob", job.name, "-n", job.namespace, "--timeout=90s")
    until("nothing of the jobs to be left", lambda: nothing(kubectl, next(iter(jobs))), timeout=180)


def nothing(kubectl: Kubectl, job: Job) -> bool:
    found = leftovers(kubectl, job.namespace)
    assert not found, found[:20]
    return True
