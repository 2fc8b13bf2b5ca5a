"""Nodes declare the GPUs that they are labelled with, whatever a kubelet makes of them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from tests.integration.control_plane import ControlPlane

from cluster.gpus import KEEPER, LABEL, RESOURCE

NODES = "/api/v1/nodes"
FIELDS = ("capacity", "allocatable")
DEADLINE_SECONDS = 60
_names = count(1)


@pytest.fixture(autouse=True)
def keeper(bare: ControlPlane) -> Iterator[subprocess.Popen[bytes]]:
    kubectl = [str(bare.programs.kubectl), f"--kubeconfig={bare.kubeconfig}"]
    command = ["sh", str(KEEPER), *kubectl, f"--cache-dir={bare.directory}/cache"]
    process = subprocess.Popen(command, start_new_session=True)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture
def node(bare: ControlPlane) -> Callable[..., str]:
    def create(**labels: str) -> str:
        name = f"gpus-{next(_names)}"
        made = bare.api.create(NODES, {"kind": "Node", "metadata": {"name": name, "labels": labels}})
        assert made.status == 201
        return name

    return create


def status(plane: ControlPlane, name: str) -> dict[str, Any]:
    return dict(plane.api.get(f"{NODES}/{name}").object["status"])


def report(plane: ControlPlane, name: str, **amounts: str) -> None:
    """Say what a kubelet says of its node."""
    fields = {field: {RESOURCE: amount} for field, amount in amounts.items()}
    assert plane.api.merge(f"{NODES}/{name}/status", {"status": fields}).status == 200


def declares(plane: ControlPlane, name: str, amount: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while [status(plane, name).get(field, {}).get(RESOURCE) for field in FIELDS] != [amount] * 2:
        assert time.monotonic() < deadline, status(plane, name)
        time.sleep(0.05)


def test_a_new_node_gets_its_gpus(bare: ControlPlane, node: Callable[..., str]) -> None:
    declares(bare, node(**{LABEL: "4"}), "4")


def test_a_restarted_kubelet_that_set_them_to_zero_is_corrected(
    bare: ControlPlane, node: Callable[..., str]
) -> None:
    name = node(**{LABEL: "4"})
    declares(bare, name, "4")
    report(bare, name, capacity="0", allocatable="0")
    declares(bare, name, "4")


def test_a_capacity_that_is_not_allocatable_is_corrected(
    bare: ControlPlane, node: Callable[..., str]
) -> None:
    name = node(**{LABEL: "8"})
    declares(bare, name, "8")
    report(bare, name, allocatable="0")
    declares(bare, name, "8")


def test_a_node_without_the_label_is_left_alone(bare: ControlPlane, node: Callable[..., str]) -> None:
    plain, marked = node(), node(**{LABEL: "1"})
    declares(bare, marked, "1")
    assert RESOURCE not in status(bare, plain).get("capacity", {})


def test_it_ends_with_an_error_when_a_node_cannot_be_written(
    bare: ControlPlane, node: Callable[..., str], keeper: subprocess.Popen[bytes]
) -> None:
    name = node(**{LABEL: "many"})
    assert keeper.wait(DEADLINE_SECONDS) != 0
    bare.api.merge(f"{NODES}/{name}", {"metadata": {"labels": {LABEL: None}}})
