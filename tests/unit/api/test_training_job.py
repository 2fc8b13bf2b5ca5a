"""The models: defaults, the main container, how many GPUs, and what is given back as it was read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.api.builders import checkpoint, container, job

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.service_tier import ServiceTierSpec
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import TrainingJobStatus

_WORDS = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=8)
_JSON = st.recursive(
    st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)
# No field that the models know is spelled like these.
_FOREIGN = st.dictionaries(_WORDS.map(lambda word: f"x{word}"), _JSON, max_size=4)


def test_what_a_user_leaves_out_has_the_documented_defaults() -> None:
    spec = job().spec
    assert (spec.workers, spec.tier, spec.priority, spec.suspend, spec.backoff_limit) == (
        1,
        "standard",
        0,
        False,
        6,
    )
    assert (spec.checkpoint.mode, spec.checkpoint.keep, spec.checkpoint.interval_seconds) == (
        "Transparent",
        3,
        0,
    )


def test_the_only_container_is_the_main_one() -> None:
    assert job(container("a", gpus=None)).spec.main_container().name == "a"


def test_the_only_container_that_asks_for_gpus_is_the_main_one() -> None:
    assert job(container("a", gpus=0), container("b", gpus="2")).spec.main_container().name == "b"


def test_a_named_container_is_the_main_one() -> None:
    assert job(container("a"), container("b"), container="b").spec.main_container().name == "b"


def test_two_containers_with_gpus_need_a_name() -> None:
    with pytest.raises(ValueError, match=r"spec\.container: must name one"):
        job(container("a"), container("b")).spec.main_container()


def test_a_name_of_no_container_is_an_error() -> None:
    with pytest.raises(ValueError, match="no container of the template is named 'c'"):
        job(container("a"), container="c").spec.main_container()


def test_a_worker_holds_the_gpus_of_all_its_containers() -> None:
    assert job(container("a", gpus=3), container("b", gpus="4"), container="a").spec.gpus_per_worker() == 7


@given(pod=_FOREIGN, own=_FOREIGN, limits=st.dictionaries(_WORDS, st.integers(0) | _WORDS, max_size=3))
def test_a_template_is_given_back_as_it_was_read(
    pod: dict[str, Any], own: dict[str, Any], limits: dict[str, Any]
) -> None:
    main = {"name": "a", "image": "i", "resources": {"limits": limits}, "securityContext": own, **own}
    template = {"metadata": {"labels": {"a": "b"}, **own}, "spec": {**pod, "containers": [main]}}
    read = TrainingJob.parse({"metadata": {"name": "a"}, "spec": {"template": template}})
    assert read.spec.template.to_dict() == template
    assert read.to_dict()["spec"]["template"] == template


def test_objects_of_a_newer_version_still_load() -> None:
    body = job().to_dict()
    later = body | {"spec": body["spec"] | {"fromTheFuture": 1}}
    assert TrainingJob.parse(later) == TrainingJob.parse(body)


def test_an_object_is_the_same_after_a_round_trip() -> None:
    assert Checkpoint.parse(checkpoint().to_dict()) == checkpoint()


@pytest.mark.parametrize("workers", [0, -1, 1025])
def test_numbers_have_bounds(workers: int) -> None:
    with pytest.raises(ValidationError):
        job(workers=workers)


def test_a_promise_is_an_exact_decimal() -> None:
    assert str(ServiceTierSpec(gpu_fraction="0.95").fraction) == "0.95"
    assert ServiceTierSpec().fraction is None


@pytest.mark.parametrize("fraction", ["1.1", "-0.5", "95%", ".5", "0.123456", ""])
def test_a_promise_that_nobody_can_keep_is_refused(fraction: str) -> None:
    with pytest.raises(ValidationError):
        ServiceTierSpec(gpu_fraction=fraction)


def test_a_status_writes_what_older_schemas_do_not_know_only_where_there_is_something_to_say() -> None:
    status = TrainingJobStatus().model_copy(update={"finished_ranks": [], "restore_failures": 0})
    assert not {"finishedRanks", "restoreFailures"} & status.to_dict().keys()
    status = status.model_copy(update={"finished_ranks": [1], "restore_failures": 2})
    assert (status.to_dict()["finishedRanks"], status.to_dict()["restoreFailures"]) == ([1], 2)
