"""What `ergo` shows of jobs and of the cluster."""

from tests.integration.cli.ergo import Ergo
from tests.integration.controller.world import World

from ergosphere.controller.resources import PODS


async def test_jobs_say_where_they_run_and_why_they_wait(world: World, ergo: Ergo) -> None:
    await world.submit("a", gpus=2, workers=2, tier="premium")
    await world.until_running_on("n1", "n1")
    await world.submit("b", gpus=3, workers=3)
    await world.until("Pending", job="b")
    rows = {row["name"]: row for row in await ergo.json("jobs")}
    assert rows["a"]["nodes"] == [world.node("n1")]
    assert (rows["a"]["phase"], rows["a"]["tier"], rows["a"]["gpus"]) == ("Running", "premium", 4)
    assert rows["b"]["waits"].startswith("FleetTooSmall: Waits for 3 times 3 GPUs")
    printed = (await ergo("jobs")).splitlines()
    assert printed[0].split()[:4] == ["NAME", "PHASE", "TIER", "WORKERS"]
    assert printed[1].split()[:5] == ["a", "Running", "premium", "2", "4"]


async def test_an_empty_namespace_says_so(world: World, ergo: Ergo) -> None:
    assert await ergo("jobs") == f"There are no jobs in namespace {world.name}.\n"
    assert await ergo.json("jobs") == []


async def test_a_move_is_told_with_its_reason_and_its_length(world: World, ergo: Ergo) -> None:
    await world.submit("a")
    await world.until_running_on("n1")
    await ergo("checkpoint", "a", "--name", "mine", "--wait")
    await world.cordon("n1")
    await world.until_running_on("n2")
    told = (await ergo.json("describe", "a"))["timeline"]
    known = {entry["what"]: entry for entry in told}
    assert {"Placed", "Started", "Cutting", "Saved", "Left", "Resumed"} <= known.keys()
    (left,) = (e for e in told if e["what"] == "Cutting" and "(Drain)" in e["why"])
    assert left["why"].endswith(f"Leaves {world.node('n1')}, which is being emptied.")
    assert any("mine (Requested): 1000 B, 10 B new, stood still" in entry["why"] for entry in told)
    assert known["Resumed"]["seconds"] is not None
    order = [entry["what"] for entry in told]
    assert order.index("Placed") < order.index("Started") < order.index("Left") < order.index("Resumed")
    printed = await ergo("describe", "a")
    assert f"{world.node('n2')} (rank 0)" in printed


async def test_the_overview_adds_up(world: World, ergo: Ergo) -> None:
    await world.submit("a", gpus=3)
    await world.until_running_on("n1")
    other = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other", "namespace": world.name}}
    limits = {"limits": {"nvidia.com/gpu": 1}}
    containers = [{"name": "c", "image": "i", "resources": limits}]
    await world.kube.create(PODS, other | {"spec": {"containers": containers, "nodeName": world.node("n2")}})
    await world.cordon("n2")
    seen = await ergo.json("top", "--once")
    nodes = {node["name"]: node for node in seen["nodes"]}
    n1, n2 = nodes[world.node("n1")], nodes[world.node("n2")]
    assert (n1["gpus"], n1["ours"], n1["others"], n1["free"]) == (4, 3, 0, 1)
    assert n1["jobs"] == [f"{world.name}/a"]
    assert (n2["state"], n2["others"], n2["free"]) == ("Cordoned", 1, 0)
    tiers = {tier["name"]: tier for tier in seen["tiers"]}
    assert tiers["standard"]["promise"] == 0.7
    printed = await ergo("top", "--once")
    assert "###." in printed


async def test_without_a_terminal_the_overview_is_printed_once(world: World, ergo: Ergo) -> None:
    assert "There are no jobs." in await ergo("top")


async def test_on_a_terminal_the_overview_is_live_until_it_is_interrupted(world: World, ergo: Ergo) -> None:
    async with ergo.on_a_terminal("top", "--every", "0.5") as terminal:
        await terminal.shows("There are no jobs.")
        await world.submit("alpha")
        await terminal.shows("alpha")
        terminal.interrupt()
        assert await terminal.ends() == 130


async def test_the_shell_completes_the_names_of_jobs(world: World, ergo: Ergo) -> None:
    for name in ("alpha", "beta"):
        await world.submit(name)
        await world.until("Running", job=name)
    for command in ("describe", "logs", "checkpoint take"):
        words = ["ergo", *command.split(), "-n", world.name, "al"]
        asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        done = await ergo.run(_ERGO_COMPLETE="complete_bash", **asked)
        assert (done.output.split(), done.errors) == (["alpha"], "")


async def test_kubectl_completes_the_plugin(world: World, ergo: Ergo) -> None:
    await world.submit("alpha")
    await world.until("Running", job="alpha")
    offered = await ergo.completed("suspend", "-n", world.name, "")
    assert offered == ["alpha", ":4"]
    assert await ergo.completed("sus") == ["suspend", ":4"]
    assert "take" in await ergo.completed("checkpoint", "")
