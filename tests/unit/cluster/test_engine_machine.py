"""The machine that the project's own Docker engine runs on."""

from pathlib import Path

import pytest

from cluster.embedded import cgroups
from cluster.embedded.record import Record
from cluster.embedded.services import Plan
from cluster.kind.offline.engine_machine import NAME, ROOT, clusters, plan


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Record:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(cgroups, "relative", lambda _: f"/session/ergosphere-{NAME}")
    return Record(NAME, 2, "Creating", (), (f"/sys/fs/cgroup/memory/session/ergosphere-{NAME}",))


@pytest.fixture
def planned(made: Record) -> Plan:
    return plan(made, Path("/cache/kind/trixie-1"), Path("/cache/bin/kind-1"))


def test_it_has_an_address_and_no_way_out(planned: Plan) -> None:
    assert "address add 10.242.0.2/24 dev eth0" in planned.network
    assert not [command for command in planned.network if "default" in command]


def test_containers_stay_in_the_machines_own_cgroup(planned: Plan) -> None:
    (engine,) = (service["argv"] for service in planned.services if service["name"] == "docker")
    assert f"--cgroup-parent=/session/ergosphere-{NAME}/control/docker" in engine


def test_the_engine_sees_the_clusters_files_and_kind_where_the_host_does(made: Record, planned: Plan) -> None:
    files = str(clusters(made))
    assert planned.binds[f"{ROOT}{files}"] == files
    assert planned.binds[f"{ROOT}/cache/bin/kind-1"] == "/cache/bin/kind-1"
    assert clusters(made).is_relative_to(made.directory)


def test_its_root_is_mounted_before_what_lies_in_it(planned: Plan) -> None:
    assert next(iter(planned.binds)) == ROOT
