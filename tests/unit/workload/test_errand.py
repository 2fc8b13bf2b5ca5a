"""A pod on an errand: where it may run, and when it has failed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.workload.test_pod import SETTINGS

from ergosphere.workload.affinity import refusal
from ergosphere.workload.errand import errand_pod, failed

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TAKEN = {"startTime": "2026-01-01T12:00:00Z"}
POD = errand_pod("p", "ns", ["collect", "ns"], SETTINGS)
DEADLINE = timedelta(seconds=POD["spec"]["activeDeadlineSeconds"])
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "age", "expected"),
    [
        ({"phase": "Failed"}, MINUTE, True),
        ({"phase": "Succeeded"}, DEADLINE * 9, False),
        ({}, MINUTE, False),
        ({}, 5 * MINUTE, True),
        ({"phase": "Pending"}, 4 * MINUTE, False),
        ({"phase": "Pending"}, 5 * MINUTE, True),
        ({"phase": "Pending", **TAKEN}, DEADLINE, False),
        ({"phase": "Running", **TAKEN}, DEADLINE + 4 * MINUTE, False),
        ({"phase": "Running", **TAKEN}, DEADLINE + 5 * MINUTE, True),
    ],
)
def test_one_that_no_kubelet_takes_or_ends_has_failed_after_its_time(
    status: dict[str, str], age: timedelta, expected: bool
) -> None:
    pod = {"metadata": {"creationTimestamp": "2026-01-01T12:00:00Z"}, "status": status}
    assert failed(pod, NOW + age) is expected


def test_it_runs_on_nodes_that_are_kept_for_gpus_and_does_not_stay_on_lost_ones() -> None:
    assert refusal(POD["spec"], {}, [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]) is None
    assert all(toleration["key"] == "nvidia.com/gpu" for toleration in POD["spec"]["tolerations"])


def test_it_is_pulled_and_limited_as_the_agent_of_a_worker_is() -> None:
    resources = {"limits": {"memory": "512Mi"}}
    settings = replace(SETTINGS, pull_secrets=("fleet",), agent_resources=resources)
    spec = errand_pod("p", "ns", ["collect", "ns"], settings)["spec"]
    assert spec["imagePullSecrets"] == [{"name": "fleet"}]
    assert spec["containers"][0]["resources"] == resources
    assert "imagePullSecrets" not in POD["spec"]
