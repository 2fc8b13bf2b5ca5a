"""What a job has received, as its status tells an operator that has just begun."""

from datetime import timedelta

from tests.unit.controller.builders import NOW

from ergosphere.api.training_job_status import LedgerEntry, TrainingJobStatus
from ergosphere.controller.bookkeeping import ledger
from ergosphere.scheduling.ledger import Ledger

CHANGES = ((0, 0, 4), (600, 4, 4), (4200, 0, 4), (4300, 2, 4))


def test_an_operator_that_begins_knows_what_a_job_received_before_it_last_moved() -> None:
    entries = [
        LedgerEntry(since=NOW + timedelta(seconds=at), workers=had, asked=asked) for at, had, asked in CHANGES
    ]
    read = ledger(TrainingJobStatus(ledger=entries))
    kept = Ledger()
    for at, had, asked in CHANGES:
        kept = kept.record(NOW.timestamp() + at, had, asked)
    later = NOW.timestamp() + 5000
    assert read.attained(later) == kept.attained(later) == 4 * 3600 + 2 * 700
    assert read.fraction(later) == kept.fraction(later)
