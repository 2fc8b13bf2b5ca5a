"""What holds of every plan for every cluster."""

import math
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scheduling.clusters import LEVELS, NOW, applied, clusters, used

from ergosphere.scheduling import promise
from ergosphere.scheduling.model import DEFAULT_TIERS, Fleet, Job, Node, Preempt, State
from ergosphere.scheduling.order import expectation
from ergosphere.scheduling.placing import place
from ergosphere.scheduling.plan import plan
from ergosphere.scheduling.planner import Planner
from ergosphere.scheduling.rules import Rules
from ergosphere.scheduling.space import Space

thorough = settings(max_examples=200, deadline=None)


@thorough
@given(clusters())
def test_no_gpu_is_given_twice_and_only_on_nodes_that_may_be_given(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    done = plan(fleet, jobs, NOW)
    after = applied(jobs, done)
    for name, gpus in used(after).items():
        assert gpus <= fleet.nodes[name].gpus - fleet.nodes[name].foreign
    for action in done.actions:
        if not isinstance(action, Preempt):
            for name in action.placement:
                assert fleet.nodes[name].ready
                assert not fleet.nodes[name].cordoned


@thorough
@given(clusters())
def test_no_gang_is_placed_by_half(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    for job in applied(jobs, plan(fleet, jobs, NOW)):
        assert not job.placement or job.smallest <= len(job.placement) <= job.largest
        types = {fleet.nodes[name].gpu_type for name in job.placement}
        assert not job.gpu_types or types <= job.gpu_types
        if job.placement and job.topology and job.topology.required:
            level = LEVELS.index(job.topology.level) + 1
            assert len({fleet.nodes[name].domains[:level] for name in job.placement}) == 1


@thorough
@given(clusters())
def test_no_promise_breaks_while_a_lower_tier_holds_surplus(cluster: tuple[Fleet, list[Job]]) -> None:
    """Each job that waits though its promise is due could not be placed even if those below it left."""
    fleet, jobs = cluster
    after = applied(jobs, plan(fleet, jobs, NOW))
    for job in after:
        time = None if job.placement else promise.due(job, DEFAULT_TIERS, Rules())
        if time is None or time > NOW or not job.gpus_per_worker:
            continue
        space = Space(fleet.nodes, LEVELS)
        for other in after:
            if not _yields(other, job):
                space.take(other.placement, other.gpus_per_worker)
        assert place(space, job, job.workers) is None


def _yields(job: Job, claimant: Job) -> bool:
    below = DEFAULT_TIERS[job.tier].rank < DEFAULT_TIERS[claimant.tier].rank
    if job.started == NOW or job.leaving:
        return False
    if not promise.promise(job, DEFAULT_TIERS):
        return True
    surplus = promise.surplus(job, NOW, DEFAULT_TIERS) > 0
    return below and surplus and promise.endures(job, NOW, DEFAULT_TIERS, Rules())


@thorough
@given(clusters())
def test_no_gpu_is_idle_that_a_waiting_job_fits(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    after = applied(jobs, plan(fleet, jobs, NOW))
    space = Space(fleet.nodes, LEVELS)
    for job in after:
        space.take(job.placement, job.gpus_per_worker)
    for job in after:
        if not job.placement and job.state is State.WAITING:
            assert place(space, job, job.smallest) is None


@thorough
@given(clusters())
def test_a_plan_is_the_same_for_the_same_cluster_in_any_order(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    mixed, nodes = list(jobs), list(fleet.nodes.items())
    random.Random(1).shuffle(mixed)
    random.Random(2).shuffle(nodes)
    assert plan(fleet, jobs, NOW) == plan(Fleet(dict(nodes), fleet.levels), mixed, NOW)


@thorough
@given(clusters())
def test_planning_again_after_a_plan_was_carried_out_gives_no_action(
    cluster: tuple[Fleet, list[Job]],
) -> None:
    fleet, jobs = cluster
    after = applied(jobs, plan(fleet, jobs, NOW))
    assert plan(fleet, after, NOW).actions == ()


@thorough
@given(clusters())
def test_the_time_to_look_again_is_to_come_also_when_it_has_come(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    now = NOW
    for _ in range(8):
        later = plan(fleet, jobs, now).look_again
        if later is None:
            return
        assert later > now
        now = later


@thorough
@given(clusters(), st.integers(1, 3))
def test_what_is_expected_of_a_job_changes_when_it_is_said_to_and_not_before(
    cluster: tuple[Fleet, list[Job]], steps: int
) -> None:
    for job in (job for job in cluster[1] if job.placement):
        until = NOW
        for _ in range(steps):
            guess, until = expectation(job, before := until, Rules())
            assert until > before
        assert expectation(job, math.nextafter(until, 0.0), Rules()) == (guess, until)
        assert expectation(job, until, Rules())[0] == 2 * guess


@thorough
@given(clusters())
def test_who_waits_is_told_why_and_nobody_else(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    done = plan(fleet, jobs, NOW)
    after = applied(jobs, done)
    staying = {job.name for job in after if any(emptied(fleet.nodes[node]) for node in job.placement)}
    acted = {action.job for action in done.actions}
    assert done.waiting.keys() == {job.name for job in after if not job.placement} | (staying - acted)
    for why in [*done.waiting.values(), *done.actions]:
        assert why.reason.isidentifier()
        assert why.message.endswith(".")


def emptied(node: Node) -> bool:
    return node.cordoned and node.ready


@thorough
@given(clusters())
def test_a_planner_that_was_told_of_every_change_plans_as_a_new_one_does(
    cluster: tuple[Fleet, list[Job]],
) -> None:
    fleet, jobs = cluster
    planner = Planner(fleet.levels)
    for node in fleet.nodes.values():
        planner.put_node(replace(node, ready=True, cordoned=False, foreign=0))
    for job in jobs:
        planner.put(replace(job, placement=(), state=State.WAITING))
    planner.plan(NOW)
    for node in fleet.nodes.values():
        planner.put_node(node)
    for job in jobs:
        planner.put(job)
    assert planner.plan(NOW) == plan(fleet, jobs, NOW)
    again = applied(jobs, planner.plan(NOW))
    for job in again:
        planner.put(job)
    assert planner.plan(NOW + 700) == plan(fleet, again, NOW + 700)


@thorough
@given(clusters())
def test_a_job_is_preempted_only_for_a_job_that_has_gpus_then(cluster: tuple[Fleet, list[Job]]) -> None:
    fleet, jobs = cluster
    done = plan(fleet, jobs, NOW)
    holding = {job.name for job in applied(jobs, done) if job.placement}
    for action in done.actions:
        if isinstance(action, Preempt) and action.reason in ("Yielded", "TurnOver"):
            assert any(name in action.message for name in holding)
