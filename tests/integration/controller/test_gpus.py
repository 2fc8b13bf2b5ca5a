"""GPUs are given to one job at a time, and what others put in the way is respected."""

from tests.integration.controller.world import World

from ergosphere.agent.errors import WorkFailed
from ergosphere.api.meta import condition
from ergosphere.controller import fleet
from ergosphere.controller.resources import PODS


async def test_a_job_is_not_given_gpus_that_another_is_still_leaving(world: World) -> None:
    await world.submit("a", gpus=4, workers=2)
    await world.until("Running")
    world.trouble.hold("StoreSave")
    await world.change("a", suspend=True)
    await world.history.until(lambda: "StoreSave" in world.trouble.reached, "the image being stored")
    await world.submit("b", gpus=4)
    await world.history.until(lambda: _placed(world, "b") == "GpusStillHeld", "b told why it waits")
    world.trouble.release("StoreSave")
    await world.until("Running", job="b")


async def test_a_job_is_not_given_gpus_on_which_an_ended_one_still_has_pods(world: World) -> None:
    await world.cordon("n2")
    await world.submit("a", gpus=4, activeDeadlineSeconds=2)
    await world.until("Running")
    await world.until("Failed")
    await world.submit("b", gpus=4)
    await world.until("Pending", job="b")
    world.gym.programs[0].finish(143)
    await world.until("Running", job="b")


async def test_a_gang_does_not_begin_beside_what_is_left_of_it(world: World) -> None:
    await world.submit("a", gpus=1, workers=2)
    await world.until("Running")
    world.gym.running(world.job().uid)[0].finish(1)
    await world.until_incarnation(2)


async def test_a_pod_of_somebody_else_is_in_the_way(world: World) -> None:
    await _occupy(world, "n1", "1k")
    await world.submit("a", gpus=4)
    await world.until_running_on("n2")


async def test_a_pod_that_claims_to_be_a_worker_is_not_taken_for_one(world: World) -> None:
    await world.submit("a", gpus=2)
    await world.until_running_on("n1")
    labels = {"ergosphere.dev/job-uid": world.job().uid, "ergosphere.dev/rank": "first"}
    await _occupy(world, "n1", "2", labels)
    await world.submit("b", gpus=2)
    await world.until_running_on("n2", job="b")
    assert world.nodes_of("a") == ["n1"]


async def test_a_job_that_no_planner_can_place_does_not_keep_others_from_it(world: World) -> None:
    term = {"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["much"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    await world.submit("odd", pod={"affinity": {"nodeAffinity": required}})
    await world.submit("rack", placement={"topology": {"required": "example.org/rack"}})
    await world.submit("a")
    await world.until("Running")
    await world.until("Pending", job="odd")
    await world.until("Pending", job="rack")


async def test_a_node_that_refused_the_job_once_is_tried_again(world: World, monkeypatch) -> None:
    monkeypatch.setattr(fleet, "_UNFIT_SECONDS", 0.5)
    await world.cordon("n2")
    await world.submit("a")
    await world.until_running_on("n1")
    await world.change("a", suspend=True)
    await world.until("Suspended")
    world.trouble.broken["StoreFetch"] = WorkFailed("IncompatibleNode", "its processor is too old")
    await world.change("a", suspend=False)
    await world.history.until(lambda: world.job().status.unfit_nodes != [], "n1 unfit")
    del world.trouble.broken["StoreFetch"]
    await world.until_running_on("n1")
    assert world.gym.losses == [0]


def _placed(world: World, job: str) -> str:
    found = world.history.job(job)
    placed = condition(found.status.conditions, "Placed") if found else None
    return placed.reason if placed else ""


async def _occupy(world: World, node: str, gpus: str, labels: dict[str, str] | None = None) -> None:
    """Somebody else's pod, on a node already, as with a scheduler of its own."""
    container = {"name": "x", "image": "x", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    meta = {"name": "other", "namespace": world.name, "labels": labels or {}}
    spec = {"nodeName": world.node(node), "containers": [container]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    assert await world.kube.create(PODS, body)
