"""Planning goes on from the plan before, and decides as a planner that starts anew, whatever happened."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scheduling.clusters import NOW, applied, clusters, fleets, jobs

from ergosphere.scheduling.model import DEFAULT_TIERS, Fleet, Job, Node, Relocation, State, Tier
from ergosphere.scheduling.plan import Follower, plan

Cluster = tuple[Fleet, list[Job]]


def _submitted(draw: st.DrawFn, fleet: Fleet, known: list[Job]) -> Cluster:
    job = draw(jobs(f"new-{draw(st.integers(0, 3))}"))
    return fleet, [*(j for j in known if j.name != job.name), job]


def _ended(draw: st.DrawFn, fleet: Fleet, known: list[Job]) -> Cluster:
    gone = draw(st.integers(0, len(known) - 1)) if known else 0
    return fleet, known[:gone] + known[gone + 1 :]


def _changed(draw: st.DrawFn, fleet: Fleet, known: list[Job]) -> Cluster:
    """An owner's wish, or what the plan before has come to: suspended, resized, sent elsewhere, moving."""
    if not known:
        return fleet, known
    index = draw(st.integers(0, len(known) - 1))
    job = known[index]
    wishes = [
        replace(job, state=State.SUSPENDED),
        replace(job, workers=job.workers + 1, min_workers=None, max_workers=None),
        replace(job, relocation=Relocation()),
        replace(job, leaving=job.placement),
        replace(job, excluded=frozenset(job.placement)),
        replace(job, tier="Basic"),
        replace(job, allowed=frozenset(list(fleet.nodes)[:2])),
    ]
    return fleet, [*known[:index], draw(st.sampled_from(wishes)), *known[index + 1 :]]


def _node(draw: st.DrawFn, fleet: Fleet, known: list[Job]) -> Cluster:
    """A node is lost or returns, is cordoned, is used by others, is another, or is no more."""
    name = draw(st.sampled_from(sorted(fleet.nodes)))
    old = fleet.nodes[name]
    states: list[Node | None] = [
        replace(old, ready=not old.ready),
        replace(old, cordoned=not old.cordoned),
        replace(old, foreign=min(1, old.gpus)),
        replace(old, gpus=16),
        replace(old, gpu_type="B200"),
        None,
    ]
    nodes = {**fleet.nodes, name: draw(st.sampled_from(states))}
    return Fleet({n: node for n, node in nodes.items() if node} or fleet.nodes, fleet.levels), known


HAPPENINGS = (_submitted, _ended, _changed, _node)


@settings(max_examples=300, deadline=None)
@given(clusters(), st.data())
def test_after_whatever_happens_the_plan_is_the_one_made_from_nothing(
    cluster: Cluster, data: st.DataObject
) -> None:
    follower, now = Follower(), NOW
    for _ in range(data.draw(st.integers(1, 6))):
        done = follower.plan(*cluster, now)
        assert done == plan(*cluster, now)
        fleet, known = cluster
        if data.draw(st.booleans()):
            known = applied(known, done, now)
        now += data.draw(st.sampled_from([0.0, 1.0, 400.0, 700.0, 5000.0, -60.0]))
        for _ in range(data.draw(st.integers(0, 2))):
            fleet, known = data.draw(st.sampled_from(HAPPENINGS))(data.draw, fleet, known)
        cluster = fleet, known


@given(clusters(), fleets())
def test_other_tiers_and_other_levels_are_planned_for_anew(cluster: Cluster, other: Fleet) -> None:
    follower = Follower()
    follower.plan(*cluster, NOW)
    more = {name: Tier(name, tier.promise / 2, tier.rank) for name, tier in DEFAULT_TIERS.items()}
    alone = [job for job in cluster[1] if not job.placement and job.topology is None]
    flat = Fleet(other.nodes, ())
    assert follower.plan(flat, alone, NOW, more) == plan(flat, alone, NOW, more)


def test_a_job_that_cannot_be_planned_for_leaves_no_trace() -> None:
    fleet, job = Fleet({"a": Node("a", 8)}), Job("j", tier="Basic")
    follower = Follower()
    follower.plan(fleet, [job], NOW)
    with pytest.raises(KeyError, match="no tier 'Gold'"):
        follower.plan(fleet, [Job("k", tier="Basic"), replace(job, tier="Gold")], NOW)
    assert follower.plan(fleet, [job], NOW) == plan(fleet, [job], NOW)
