"""Making a job leave its node."""

import time

from scenario.assassin import OPERATOR, assassin, kill_operator, ready_operator
from scenario.jobs import Job
from scenario.kubectl import Kubectl


def move(job: Job, kubectl: Kubectl, *, node: str = "", kill_after: float | None = None) -> str:
    """Cordon a node of the job until the job prints elsewhere, and return the node it left.

    `node` is the one of its first worker if none is named. `kill_after` seconds after the cordon the operator
    is killed.

    Raises:
        StillWaitingError: the job did not go on within three minutes.
        AssertionError: it went on, but on the node it should have left.
    """
    killer = None if kill_after is None else assassin(kubectl, ready_operator(kubectl), OPERATOR)
    before, node = job.read().status.incarnation, node or job.node()
    kubectl.run("cordon", node)
    try:
        if killer and kill_after is not None:
            time.sleep(kill_after)
            kill_operator(killer)
        job.until_incarnation(before + 1, timeout=180)
        assert node not in job.nodes(), f"job {job.name} went on on {node}, which is cordoned"
    finally:
        kubectl.run("uncordon", node)
    return node
