"""What the planner says, in the words of the jobs' owners."""

from ergosphere.controller.planning import by_name

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def test_other_jobs_are_named_as_their_owners_name_them():
    message = f"Yields its GPUs to {UID}, whose premium promise of 0.95 would break otherwise."
    assert by_name(message, {UID: ("lab", "digits")}) == (
        "Yields its GPUs to lab/digits, whose premium promise of 0.95 would break otherwise."
    )


def test_what_only_looks_like_a_job_stays_as_it_is():
    assert by_name(f"Leaves {UID}.", {}) == f"Leaves {UID}."
