"""Jobs whose volume cannot follow."""

from tests.unit.controller.builders import NOW, Scene

from ergosphere.controller.anchoring import anchored
from ergosphere.controller.lifecycle import advance
from ergosphere.controller.moment import Moment
from ergosphere.scheduling.model import Fleet, Node
from ergosphere.workload.volumes import Binding

HOST = "kubernetes.io/hostname"
DATA = (Binding("data", ({"matchExpressions": [{"key": HOST, "operator": "In", "values": ["n1"]}]},)),)
NODES = [{"metadata": {"name": name, "labels": {HOST: name}}} for name in ("n1", "n2")]
MESSAGE = "the volume of claim data cannot follow: it is on n1"


def fleet(**changes):
    return Fleet({name: Node(name, 4, **changes.get(name, {})) for name in ("n1", "n2")})


def why(scene, bound=DATA, **nodes):
    return anchored(scene.view(), NODES, bound, fleet(**nodes))


def test_a_job_on_a_node_that_is_emptied_stays_with_its_volume_and_says_so_once():
    scene = Scene().placed("n1", ran=True).running()
    reason = why(scene, n1={"cordoned": True})
    assert (reason.reason, reason.message) == ("VolumeCannotFollow", MESSAGE)
    told = advance(Moment(scene.view(), None, None, NOW, anchored=reason))
    assert [(h.reason, h.message, h.warning) for h in told.happenings] == [
        ("VolumeCannotFollow", MESSAGE, True)
    ]
    assert [c.reason for c in told.status.conditions if c.type == "Movable"] == ["VolumeCannotFollow"]
    scene.status = told.status.to_dict()
    assert advance(Moment(scene.view(), None, None, NOW, anchored=reason)).happenings == ()
    free = advance(Moment(scene.view(), None, None, NOW))
    assert "Movable" not in [c.type for c in free.status.conditions]


def test_a_job_that_its_owner_wants_elsewhere_stays_with_its_volume():
    scene = Scene().placed("n1", ran=True).running().spec(migration={"incarnation": 1})
    assert why(scene).message == MESSAGE


def test_a_waiting_job_whose_volume_is_on_a_lost_node_is_told_which():
    assert why(Scene(), n1={"ready": False}).message == MESSAGE


def test_a_job_that_need_not_move_or_can_is_not_held_by_anything():
    assert why(Scene().placed("n1", ran=True).running()) is None
    assert why(Scene()) is None
    assert why(Scene().placed("n1", ran=True).running(), bound=(), n1={"cordoned": True}) is None
