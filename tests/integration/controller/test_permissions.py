"""The rights that the chart gives the operator, and those that it uses from a job's beginning to its end."""

from pathlib import Path

import yaml
from tests.integration.control_plane import ControlPlane
from tests.integration.controller.faults import Faults
from tests.integration.controller.operators import Operator
from tests.integration.controller.world import a_world
from tests.integration.helm import NAMESPACE, Helm
from tests.integration.operator_process import identity

from ergosphere.controller.certificates import Pair
from ergosphere.controller.resources import BUDGETS, PODS
from scenario.rights import Right, granted, used

# What the webhooks read, what is made before the loop begins, and rights that are no requests of their own.
# Leadership is no part of the loop either: the rights for it are in the Role of the operator's own namespace.
APART = {
    Right("", "ergosphere.dev", "trainingjobs", "get"),
    Right("", "ergosphere.dev", "checkpoints", "get"),
    Right("", "ergosphere.dev", "servicetiers", "create"),
    Right("", "ergosphere.dev", "trainingjobs/finalizers", "update"),
    Right("", "ergosphere.dev", "checkpoints/finalizers", "update"),
}


async def test_the_operator_uses_every_right_that_it_has_and_no_other(
    plane: ControlPlane, helm_program: Path, tiers: None, authority: Pair, tmp_path: Path
) -> None:
    rendered = yaml.safe_load_all(Helm(helm_program, plane).render())
    roles = [obj for obj in rendered if obj and obj["kind"].endswith(("Role", "RoleBinding"))]
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    (tmp_path / "roles.yaml").write_text(yaml.safe_dump_all(roles))
    plane.kubectl("apply", "-f", str(tmp_path / "roles.yaml"))
    async with a_world(plane, authority, tmp_path) as world:
        world.start(Operator(identity(plane, tmp_path), world.name, authority, Faults()).run())
        await world.submit("a", ttlSecondsAfterFinished=0, checkpoint={"keep": 1, "deletionPolicy": "Delete"})
        await world.until_running_on("n1")
        await world.ask_for("mine")
        await world.until_ready("mine")
        for node, other in (("n1", "n2"), ("n2", "n1"), ("n1", "n2")):
            await world.cordon(node)
            await world.until_running_on(other)
            await world.cordon(node, cordoned=False)
        await world.change("a", suspend=True)
        await world.until("Suspended")
        await world.until_empty(PODS, BUDGETS)
        await world.change("a", suspend=False)
        await world.until("Running")
        world.end_programs("a")
        await world.history.until(lambda: not world.history.jobs(), "the job deleted")
        await world.history.until(lambda: not world.history.checkpoints(), "its checkpoints deleted")
        asked = plane.asked()
    (role,) = (r for r in roles if r["kind"] == "ClusterRole" and r["metadata"]["name"] == "ergosphere")
    rights = granted(role)
    assert rights - used(rights, asked) == APART
    assert [request.uri for request in asked if request.forbidden] == []
