"""Names of what belongs to a job: as the job's own where there is room, never longer than may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.checkpoints.names import CheckpointId
from ergosphere.workload.names import pod_name, shelf, stem

UID = "01234567-89ab-cdef-0123-456789abcdef"
PARTS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
JOBS = st.lists(PARTS, min_size=1, max_size=4).map(".".join).filter(lambda name: len(name) <= 253)


@given(PARTS, JOBS)
def test_the_id_of_any_job_s_checkpoint_fits_and_is_one(namespace: str, job: str) -> None:
    name = f"{shelf(namespace, job)}/{UID}"
    assert len(name) <= 253
    assert str(CheckpointId.parse(name)) == name


@pytest.mark.parametrize(("namespace", "longest"), [("lab", 212), ("n" * 63, 152)])
def test_a_job_is_named_in_full_in_the_store_while_there_is_room(namespace: str, longest: int) -> None:
    assert shelf(namespace, "j" * longest) == f"{namespace}/{'j' * longest}"
    assert shelf(namespace, "j" * (longest + 1)) != f"{namespace}/{'j' * (longest + 1)}"


def test_jobs_whose_names_are_shortened_are_still_told_apart() -> None:
    one, other = "j" * 252 + "a", "j" * 252 + "b"
    assert shelf("lab", one) != shelf("lab", other)
    assert stem(one) != stem(other)


@given(JOBS)
def test_a_pod_s_name_is_a_host_name(job: str) -> None:
    assert len(pod_name(job, 2**31 - 1, 4095)) <= 63
