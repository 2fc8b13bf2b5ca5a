"""The kinds as the API server knows them: installed, explained, listed, printed."""

import pytest
from tests.integration.api import Api
from tests.integration.control_plane import ControlPlane
from tests.integration.established import await_established
from tests.integration.resources import checkpoints, jobs, tier, training_job

from ergosphere.api.render import DEFINITIONS

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def columns(api: Api, path: str, *, wide: bool) -> dict[str, object]:
    """The cells of the only row by the name of their column."""
    table = api.get(path, _TABLE).object
    names = [c["name"] for c in table["columnDefinitions"] if wide or c["priority"] == 0]
    (row,) = table["rows"]
    cells = [
        cell
        for c, cell in zip(table["columnDefinitions"], row["cells"], strict=True)
        if wide or not c["priority"]
    ]
    return dict(zip(names, cells, strict=True))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.kind)
def test_every_kind_is_established_without_a_violation(plane: ControlPlane, definition) -> None:
    conditions = await_established(plane.api, definition.name)
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"


def test_short_names_and_categories_find_the_kinds(plane: ControlPlane) -> None:
    listed = plane.kubectl("api-resources", "--api-group=ergosphere.dev", "--no-headers", "-o", "wide")
    rows = {line.split()[0]: line for line in listed.splitlines()}
    assert {name: row.split()[1] for name, row in rows.items()} == {
        "checkpoints": "ckpt",
        "servicetiers": "tier",
        "trainingjobs": "tj",
    }
    assert rows["trainingjobs"].endswith("all,ergosphere")
    assert rows["checkpoints"].endswith("ergosphere")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("trainingjob", "A training job: a gang of workers"),
        ("trainingjob.spec.workers", "How many workers the job has (1 to 1024)"),
        ("trainingjob.spec.suspend", "Stop the job and free its GPUs"),
        ("trainingjob.spec.checkpoint.mode", "ENUM: Transparent Cooperative"),
        ("trainingjob.spec.template.spec.containers.command", "The main container must have one"),
        ("trainingjob.status.conditions", "The current state"),
        ("checkpoint.spec.jobName", "The TrainingJob to cut"),
        ("servicetier.spec.gpuFraction", 'such as "0.95"'),
    ],
)
def test_explain_reads_as_documentation(plane: ControlPlane, field: str, said: str) -> None:
    assert said in " ".join(plane.kubectl("explain", field).split())


def test_a_running_job_prints_what_its_owner_wants_to_know(api: Api, namespace: str) -> None:
    path = f"{jobs(namespace)}/digits"
    api.create(jobs(namespace), training_job(tier="premium"))
    status = {
        "phase": "Running",
        "gpus": 2,
        "nodes": "node-1,node-2",
        "gpuFraction": "0.97",
        "restarts": 3,
        "incarnation": 4,
        "lastCheckpoint": {"name": "digits-3", "time": "2026-01-01T00:00:00Z"},
    }
    assert api.merge(f"{path}/status", {"status": status}).object
    cells = columns(api, jobs(namespace), wide=False)
    assert list(cells) == ["Name", "Phase", "Tier", "GPUs", "Nodes", "Last-Checkpoint", "Age"]
    assert list(cells.values())[:5] == ["digits", "Running", "premium", 2, "node-1,node-2"]
    assert cells["Last-Checkpoint"]
    wide = columns(api, jobs(namespace), wide=True)
    assert (wide["GPU-Fraction"], wide["Restarts"], wide["Incarnation"]) == ("0.97", 3, 4)


def test_a_checkpoint_prints_what_it_cost(api: Api, namespace: str) -> None:
    body = {"apiVersion": "ergosphere.dev/v1alpha1", "kind": "Checkpoint", "metadata": {"name": "one"}}
    api.create(checkpoints(namespace), body | {"spec": {"jobName": "digits"}})
    status = {"phase": "Ready", "bytes": 67108864, "newBytes": 1024, "stallMs": 212.5}
    assert api.merge(f"{checkpoints(namespace)}/one/status", {"status": status}).object
    cells = columns(api, checkpoints(namespace), wide=False)
    expected = ["one", "digits", "Ready", "Requested", 67108864, 1024, 212.5]
    assert list(cells.values())[:7] == expected


def test_a_tier_prints_its_promise(api: Api) -> None:
    api.create("/apis/ergosphere.dev/v1alpha1/servicetiers", tier("printed", gpuFraction="0.95", order=20))
    cells = columns(
        api, "/apis/ergosphere.dev/v1alpha1/servicetiers?fieldSelector=metadata.name=printed", wide=False
    )
    assert list(cells.values())[:4] == ["printed", "0.95", 3600, 20]


def test_checkpoints_can_be_selected_by_their_job(api: Api, namespace: str) -> None:
    for name, job in (("a", "one"), ("b", "two")):
        body = {"apiVersion": "ergosphere.dev/v1alpha1", "kind": "Checkpoint", "metadata": {"name": name}}
        api.create(checkpoints(namespace), body | {"spec": {"jobName": job}})
    found = api.get(f"{checkpoints(namespace)}?fieldSelector=spec.jobName%3Dtwo").object
    assert [item["metadata"]["name"] for item in found["items"]] == ["b"]
