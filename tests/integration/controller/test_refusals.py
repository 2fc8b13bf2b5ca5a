"""Pods that the API server refuses: the job says why, and starts as soon as nothing is in the way."""

from typing import Any

from tests.integration.controller.world import World

from ergosphere.api.meta import Condition, condition
from ergosphere.controller.kube import Resource
from ergosphere.controller.resources import EVENTS, PODS

NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)


def foreign(name: str, **metadata: Any) -> dict[str, Any]:
    containers = [{"name": "theirs", "image": "example.org/theirs:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **metadata},
        "spec": {"containers": containers},
    }


async def enforce(world: World, level: str | None) -> None:
    """Which pods the namespace admits."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    await world.kube.merge(NAMESPACES, "", world.name, {"metadata": {"labels": labels}})


def created(world: World) -> Condition | None:
    job = world.history.job("a")
    return condition(job.status.conditions, "PodsCreated") if job else None


async def until_refused(world: World) -> str:
    """What the job says of its pods, once that is that they are refused, and an Event has said the same."""
    refused = lambda: (c := created(world)) is not None and c.reason == "FailedCreate"  # noqa: E731
    await world.history.until(refused, "the refusal said")
    found = created(world)
    assert found
    await world.until_told("FailedCreate", found.message)
    return found.message


async def test_a_job_whose_pods_are_refused_says_why_and_starts_when_they_no_longer_are(
    world: World,
) -> None:
    await enforce(world, "restricted")
    await world.submit("a", gpus=2, workers=2)
    message = await until_refused(world)
    assert 'pods "a-1-0" is forbidden: violates PodSecurity' in message
    assert message.endswith("(and 1 more)")
    assert world.job().status.phase == "Starting"
    (event,) = [e for e in await world.kube.objects(EVENTS, world.name) if e["reason"] == "FailedCreate"]
    assert (event["type"], event["involvedObject"]["uid"]) == ("Warning", world.job().uid)
    await enforce(world, None)
    await world.until_running_on("n1", "n1")
    there = created(world)
    assert there
    assert (there.status, there.message) == ("True", "")


async def test_a_job_that_is_suspended_while_its_pods_are_refused_no_longer_speaks_of_them(
    world: World,
) -> None:
    await enforce(world, "restricted")
    await world.submit("a")
    await until_refused(world)
    await world.change("a", suspend=True)
    await world.until("Suspended")
    left = created(world)
    assert left
    assert (left.status, left.reason) == ("False", "NotCreated")


async def test_a_template_that_makes_no_valid_pod_is_refused_with_what_is_wrong_in_it(world: World) -> None:
    await world.submit("a", pod={"priorityClassName": "none-of-this-name"})
    assert "none-of-this-name" in await until_refused(world)


async def test_a_pod_of_the_same_name_that_is_somebody_else_s_is_not_taken_for_the_job_s(
    world: World,
) -> None:
    await world.kube.create(PODS, foreign("a-1-0", namespace=world.name))
    await world.submit("a")
    message = "pod a-1-0 exists and is no worker of this job: it belongs to nobody"
    assert await until_refused(world) == message
    await world.kube.delete(PODS, world.name, "a-1-0", {"gracePeriodSeconds": 0})
    await world.until_running_on("n1")
