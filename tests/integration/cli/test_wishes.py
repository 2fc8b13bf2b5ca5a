"""What a user asks of a job with `ergo`, and waits for."""

from tests.integration.cli.ergo import Ergo
from tests.integration.controller.world import World


async def test_a_job_is_saved_on_demand_and_runs_on(world: World, ergo: Ergo) -> None:
    await world.submit("a")
    await world.until("Running")
    made = await ergo.json("checkpoint", "a", "--name", "mine", "--pin", "--wait")
    assert (made["name"], made["ready"], made["bytes"]) == ("mine", True, 1000)
    assert made["stallMs"] > 0
    assert (await world.until_ready("mine")).spec.pinned
    assert world.job().status.incarnation == 1


async def test_a_checkpoint_without_a_name_gets_one_after_the_job(world: World, ergo: Ergo) -> None:
    await world.submit("a")
    await world.until("Running")
    said = await ergo("checkpoint", "a", "--wait")
    assert said.startswith("a-")
    assert "is ready: 1000 B, 10 B of it new; the job stood still for " in said


async def test_a_job_is_suspended_and_resumed_where_it_was_cut(world: World, ergo: Ergo) -> None:
    await world.submit("a")
    await world.until("Running")
    suspended = await ergo.json("suspend", "a", "--wait")
    assert (suspended["phase"], suspended["nodes"]) == ("Suspended", [])
    resumed = await ergo.json("resume", "a", "--wait")
    assert resumed["phase"] == "Running"
    assert world.job().status.incarnation == 2
    assert world.gym.losses == [0]


async def test_a_job_is_moved_to_the_node_that_its_owner_names(world: World, ergo: Ergo) -> None:
    await world.add_node("n3")
    await world.submit("a", gpus=2, workers=2)
    await world.until_running_on("n1", "n1")
    moved = await ergo.json("migrate", "a", "--to", world.node("n3"), "--wait")
    assert (moved["from"], moved["incarnation"], moved["nodes"]) == (1, 2, [world.node("n3")])
    assert world.gym.losses == [0, 0]


async def test_a_move_that_cannot_be_says_why_and_stays_asked_for(world: World, ergo: Ergo) -> None:
    await world.submit("a", gpus=4)
    await world.until_running_on("n1")
    await world.submit("b", gpus=4)
    await world.until_running_on("n2", job="b")
    status, line = await ergo.refused("migrate", "a", "--wait", "--timeout", "2")
    assert status == 5
    assert "NoRoomToMigrate: Is to move, and waits for 4 GPUs on one node" in line
    world.end_programs("b")
    await world.until_running_on("n2")


async def test_what_cannot_be_asked_is_refused_in_one_line(world: World, ergo: Ergo) -> None:
    await world.submit("a")
    await world.until("Running")
    here = world.node("n1")
    assert await ergo.refused("migrate", "a", "--to", here) == (1, f"error: a runs on {here} already")
    status, line = await ergo.refused("checkpoint", "b")
    assert (status, line) == (3, 'error: trainingjobs.ergosphere.dev "b" not found')
    assert (await ergo.refused("logs", "a", "--rank", "1"))[0] == 1
    assert (await ergo.refused("suspend"))[0] == 2
    world.end_programs("a")
    await world.until("Succeeded")
    for command in ("suspend", "resume", "migrate", "checkpoint"):
        status, line = await ergo.refused(command, "a")
        assert status == 1
        assert "a has ended (Succeeded)" in line


async def test_a_cluster_that_is_not_there_is_told_at_once(ergo: Ergo, tmp_path) -> None:
    kubeconfig = tmp_path / "config"
    done = await ergo.run("jobs", "--kubeconfig", str(kubeconfig))
    assert done.status == 4
    kubeconfig.write_text(
        "{contexts: [{name: c, context: {cluster: c, user: u}}], current-context: c,"
        " clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u, user: {}}]}"
    )
    done = await ergo.run("jobs", "--kubeconfig", str(kubeconfig))
    assert (done.status, done.errors.splitlines()[-1:]) == (
        4,
        [
            "error: http://127.0.0.1:1 cannot be reached:"
            " Failed to establish a new connection: [Errno 111] Connection refused"
        ],
    )
