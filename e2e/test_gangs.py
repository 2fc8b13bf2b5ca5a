"""Jobs of several workers: one cut through all of them, with their connections."""

import random
import re

from cluster.__main__ import provider
from ergosphere.api.training_job_status import JobPhase
from scenario.jobs import Job, StartGang
from scenario.kubectl import Kubectl
from scenario.losses import Step, first_difference
from scenario.moves import move
from scenario.waiting import until

MOVES = 10
CUTS = 50
MOVED_EVERY = 10


def test_ten_moves_of_a_data_parallel_job_change_no_bit(
    start_ddp: StartGang, ddp_reference: list[Step], kubectl: Kubectl
) -> None:
    chance = random.Random(3)
    job = start_ddp("roams")
    job.until_step(5)
    for _ in range(MOVES):
        job.until_step(len(job.steps_so_far()) + chance.randrange(2, 25))
        move(job, kubectl, node=chance.choice(sorted(set(job.nodes()))))
    job.until_phase(JobPhase.SUCCEEDED, timeout=300)
    assert first_difference(job.steps(), ddp_reference) == ""
    assert job.read().status.lost_seconds is None
    assert job.read().status.failures == 0


def test_a_data_parallel_job_that_loses_two_nodes_repeats_steps_and_changes_no_bit(
    start_ddp: StartGang, ddp_reference: list[Step], kubectl: Kubectl, cluster: str
) -> None:
    chance = random.Random(4)
    job = start_ddp("bereaved", checkpoint={"intervalSeconds": 5, "keep": 2})
    for lost in range(2):
        saved_again(job)
        node = chance.choice(sorted(set(job.nodes())))
        provider().kill_node(cluster, node)
        try:
            job.until_incarnation(job.read().status.incarnation + 1, timeout=300)
        finally:
            provider().restart_node(cluster, node)
        kubectl.run("wait", "node", node, "--for=condition=Ready", "--timeout=120s")
        assert job.read().status.restarts == lost + 1
    done = job.until_phase(JobPhase.SUCCEEDED, timeout=300)
    assert first_difference(job.steps_with_repetitions(), ddp_reference) == ""
    assert done.status.failures == 0
    assert done.status.lost_seconds
    assert done.status.lost_seconds > 0


def test_fifty_cuts_lose_no_byte_between_the_ranks(start_chatter: StartGang, kubectl: Kubectl) -> None:
    chance = random.Random(5)
    job = start_chatter("chatter")
    heard_more(job)
    for number in range(1, CUTS + 1):
        if number % MOVED_EVERY:
            job.checkpoint(f"cut-{number}")
            assert job.until_checkpoint(f"cut-{number}").ready
            kubectl.run("delete", "checkpoint", f"cut-{number}", "-n", job.namespace, "--wait=false")
        else:
            move(job, kubectl, node=chance.choice(sorted(set(job.nodes()))))
    heard_more(job)
    assert job.read().status.failures == 0
    assert job.read().status.lost_seconds is None
    assert "WRONG" not in "".join(job.logs.pieces())


def saved_again(job: Job) -> None:
    """Wait until the present incarnation has a checkpoint of its own."""

    def saved() -> bool:
        status = job.read().status
        assert status.placed_time
        assert status.ran_incarnation == status.incarnation, "not all workers run"
        assert status.last_checkpoint, "there is no checkpoint"
        return status.last_checkpoint.time > status.placed_time

    until(f"job {job.name} to be saved", saved, timeout=180)


def heard_more(job: Job) -> None:
    """Wait until every rank has heard more from every other than it has by now."""
    before = heard(job)

    def more() -> bool:
        now = heard(job)
        pairs = {pair: number for pair, number in now.items() if number > before.get(pair, -1)}
        assert len(pairs) == 12, f"{len(pairs)} of 12 pairs"
        return True

    until(f"the ranks of {job.name} to hear from each other", more, timeout=120)


def heard(job: Job) -> dict[tuple[int, int], int]:
    """For each rank and each of its peers, the number of the last message that it told of."""
    last: dict[tuple[int, int], int] = {}
    for rank, text in job.logs.by_rank():
        assert "WRONG" not in text, text[-500:]
        for peer, number in re.findall(r"^heard (\d+) (\d+)$", text, re.MULTILINE):
            pair = (rank, int(peer))
            last[pair] = max(int(number), last.get(pair, -1))
    return last
