"""What the webhook refuses: references to objects that are not there, or not fit."""

from tests.unit.api.builders import LONG_AGO, checkpoint, container, holds, job

from ergosphere.api.admission import checkpoint_errors, training_job_errors

TIERS = ["premium", "standard", "basic"]


def test_a_job_of_a_known_tier_passes() -> None:
    assert training_job_errors(job(tier="premium"), None, TIERS, {}) == []


def test_an_unknown_tier_is_refused_with_the_known_ones() -> None:
    assert training_job_errors(job(tier="gold"), None, TIERS, {}) == [
        'spec.tier: there is no ServiceTier "gold"; it must be one of: basic, premium, standard'
    ]


def test_without_any_tier_the_refusal_says_so() -> None:
    assert training_job_errors(job(), None, [], {}) == [
        'spec.tier: there is no ServiceTier "standard"; an administrator must create one first'
    ]


def test_a_long_choice_is_cut_short() -> None:
    (error,) = training_job_errors(job(tier="x"), None, [f"t{n:02}" for n in range(12)], {})
    assert error.endswith("t08, t09 and 2 more")


def test_a_job_whose_tier_was_deleted_can_still_be_edited() -> None:
    old, new = job(tier="gone"), job(tier="gone", suspend=True)
    assert training_job_errors(new, old, TIERS, {}) == []


def test_a_change_to_an_unknown_tier_is_refused() -> None:
    assert training_job_errors(job(tier="gold"), job(tier="basic"), TIERS, {}) != []


def test_a_restore_from_a_ready_checkpoint_passes() -> None:
    known = {"digits-1": checkpoint(holds("Ready"))}
    assert training_job_errors(job(restoreFrom={"name": "digits-1"}), None, TIERS, known) == []


def test_a_restore_from_a_missing_checkpoint_is_refused() -> None:
    known = {"a": checkpoint(holds("Ready"), name="a"), "b": checkpoint(name="b")}
    assert training_job_errors(job(restoreFrom={"name": "c"}), None, TIERS, known) == [
        'spec.restoreFrom.name: there is no Checkpoint "c" in namespace "lab";'
        " it must name a Ready one of the job's own namespace"
    ]


def test_a_restore_from_an_incomplete_checkpoint_is_refused() -> None:
    known = {"digits-1": checkpoint()}
    assert training_job_errors(job(restoreFrom={"name": "digits-1"}), None, TIERS, known) == [
        'spec.restoreFrom.name: the Checkpoint "digits-1" is not complete yet; it must be Ready'
    ]


def test_a_restore_from_a_failed_checkpoint_is_refused_with_its_failure() -> None:
    known = {"digits-1": checkpoint(holds("Failed", "it uses io_uring"))}
    assert training_job_errors(job(restoreFrom={"name": "digits-1"}), None, TIERS, known) == [
        'spec.restoreFrom.name: the Checkpoint "digits-1" has failed (it uses io_uring); it must be Ready'
    ]


def test_a_restore_from_a_checkpoint_under_deletion_is_refused() -> None:
    known = {"digits-1": checkpoint(holds("Ready"), deletionTimestamp=LONG_AGO)}
    (error,) = training_job_errors(job(restoreFrom={"name": "digits-1"}), None, TIERS, known)
    assert "is being deleted" in error


def test_a_restore_needs_as_many_workers_as_were_saved() -> None:
    known = {"digits-1": checkpoint(holds("Ready"), ranks=4)}
    assert training_job_errors(job(restoreFrom={"name": "digits-1"}), None, TIERS, known) == [
        'spec.workers: must be 4, as many as the Checkpoint "digits-1" holds'
    ]


def test_a_job_whose_checkpoint_was_deleted_since_its_start_can_still_be_edited() -> None:
    old = job(restoreFrom={"name": "digits-1"})
    assert training_job_errors(job(restoreFrom={"name": "digits-1"}, suspend=True), old, TIERS, {}) == []


def test_fields_that_only_kubernetes_knows_are_immutable_too() -> None:
    old = job(container(tty=True))
    assert training_job_errors(job(container(stdin=True)), old, TIERS, {}) == [
        "spec.template: is immutable: create a new TrainingJob instead"
    ]


def test_a_checkpoint_of_a_running_job_passes() -> None:
    assert checkpoint_errors(checkpoint(), None, {"digits": job()}) == []


def test_a_checkpoint_of_no_job_is_refused() -> None:
    assert checkpoint_errors(checkpoint(), None, {"other": job()}) == [
        'spec.jobName: there is no TrainingJob "digits" in namespace "lab";'
        " it must name one of the Checkpoint's own namespace"
    ]


def test_a_checkpoint_of_a_job_that_has_ended_is_refused() -> None:
    ended = job(status={"conditions": [holds("Complete").to_dict()]})
    assert checkpoint_errors(checkpoint(), None, {"digits": ended}) == [
        'spec.jobName: the TrainingJob "digits" has ended; only one that has not can be saved'
    ]


def test_a_checkpoint_whose_job_was_deleted_can_still_be_pinned() -> None:
    assert checkpoint_errors(checkpoint(), checkpoint(), {}) == []
