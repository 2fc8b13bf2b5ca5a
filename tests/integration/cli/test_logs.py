"""The output of a worker as one log, whatever pods it ran in."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.cli.ergo import Ergo
from tests.integration.cli.kubelet_logs import KubeletLogs, serving_logs
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.world import World

from ergosphere.controller.resources import PODS


@pytest.fixture
async def kubelet_logs(world: World, plane: ControlPlane, tmp_path: Path) -> AsyncIterator[KubeletLogs]:
    async with serving_logs(world, plane.authority, tmp_path) as logs:
        yield logs


async def test_a_followed_log_goes_on_across_moves_without_a_gap(
    world: World, ergo: Ergo, kubelet_logs: KubeletLogs
) -> None:
    kubelet_logs.breaks = 2
    await world.submit("a")
    await world.until("Running")
    following = await ergo.begin("logs", "a", "-f", "-n", world.name)
    lines = [await _line(following)]
    while kubelet_logs.asked <= 2:
        lines.append(await _line(following))
    for node, other in (("n1", "n2"), ("n2", "n1")):
        await world.cordon(node)
        await world.until_running_on(other)
        await world.cordon(node, cordoned=False)
        (program,) = world.gym.running(world.job().uid)
        while lines[-1] != f"step {program.first // 100 + 1}":
            lines.append(await _line(following))
    world.end_programs("a")
    done = await ergo.end(following)
    assert done.status == 0
    assert "went with" not in done.errors
    lines += done.output.splitlines()
    assert lines == [f"step {n}" for n in range(program.steps // 100)]
    # Two that broke, and three pods; one whose end is not known yet is asked once more.
    assert kubelet_logs.asked >= 5


async def test_what_went_with_its_pod_is_said_to_be_missing(
    world: World, ergo: Ergo, kubelet_logs: KubeletLogs
) -> None:
    await world.submit("a")
    await world.until("Running")
    await world.cordon("n1")
    await world.until_running_on("n2")
    await world.history.until(lambda: len(world.history.objects[PODS]) == 1, "the pod before gone")
    done = await ergo.run("logs", "a", "-n", world.name)
    assert done.errors == "(the output of incarnation 1 went with its pod)\n"
    (program,) = world.gym.running(world.job().uid)
    first = program.first // 100
    lines = done.output.splitlines()
    assert lines == [f"step {n}" for n in range(first, first + len(lines))]


async def test_why_nothing_was_printed_is_said(world: World, ergo: Ergo, kubelet_logs: KubeletLogs) -> None:
    await world.submit("a", gpus=9)
    await world.until("Pending")
    done = await ergo.run("logs", "a", "-n", world.name)
    assert (done.status, done.output) == (0, "")
    assert done.errors.startswith("(a is Pending: ")
    await world.submit("b")
    await world.until("Running", job="b")
    await world.change("b", suspend=True)
    await world.until("Suspended", job="b")
    done = await ergo.run("logs", "b", "-n", world.name)
    assert done.errors == "(the output of incarnation 1 went with its pod)\n(b is Suspended)\n"


async def _line(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode().rstrip("\n")
