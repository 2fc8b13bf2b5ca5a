"""What the API server does with Checkpoints and ServiceTiers at apply time."""

from typing import Any

import pytest
from tests.integration.api import Api
from tests.integration.resources import checkpoints, tier

TIERS = "/apis/ergosphere.dev/v1alpha1/servicetiers"


def checkpoint(**spec: Any) -> dict[str, Any]:
    named = {"apiVersion": "ergosphere.dev/v1alpha1", "kind": "Checkpoint", "metadata": {"name": "one"}}
    return named | {"spec": {"jobName": "digits", **spec}}


def test_a_checkpoint_is_requested_and_not_pinned_unless_it_says_so(api: Api, namespace: str) -> None:
    spec = api.create(checkpoints(namespace), checkpoint()).object["spec"]
    assert spec == {"jobName": "digits", "reason": "Requested", "pinned": False}


def test_a_checkpoint_needs_a_job(api: Api, namespace: str) -> None:
    body = checkpoint()
    del body["spec"]["jobName"]
    assert api.create(checkpoints(namespace), body).causes == {"spec.jobName": "Required value"}


def test_a_checkpoint_has_one_of_the_known_reasons(api: Api, namespace: str) -> None:
    causes = api.create(checkpoints(namespace), checkpoint(reason="Fun")).causes
    assert causes["spec.reason"].startswith(
        'Unsupported value: "Fun": supported values: "Requested", "Interval"'
    )


@pytest.mark.parametrize("change", [{"jobName": "other"}, {"reason": "Interval"}])
def test_a_checkpoint_cannot_become_that_of_something_else(
    api: Api, namespace: str, change: dict[str, str]
) -> None:
    api.create(checkpoints(namespace), checkpoint())
    causes = api.merge(f"{checkpoints(namespace)}/one", {"spec": change}).causes
    assert causes[f"spec.{next(iter(change))}"].endswith("is immutable: create a new Checkpoint instead")


def test_a_checkpoint_can_be_pinned_later(api: Api, namespace: str) -> None:
    api.create(checkpoints(namespace), checkpoint())
    assert api.merge(f"{checkpoints(namespace)}/one", {"spec": {"pinned": True}}).object["spec"]["pinned"]


def test_a_tier_promises_nothing_unless_it_says_so(api: Api) -> None:
    assert api.create(TIERS, tier("bare")).object["spec"] == {"windowSeconds": 3600, "order": 0}


@pytest.mark.parametrize("fraction", ["1.1", "-0.5", "95%", ".5", "0.123456", ""])
def test_a_promise_that_nobody_can_keep_is_refused(api: Api, fraction: str) -> None:
    assert list(api.create(TIERS, tier("wrong", gpuFraction=fraction)).causes) == ["spec.gpuFraction"]


@pytest.mark.parametrize("seconds", [59, 604801])
def test_a_window_has_bounds(api: Api, seconds: int) -> None:
    assert list(api.create(TIERS, tier("wrong", windowSeconds=seconds)).causes) == ["spec.windowSeconds"]
