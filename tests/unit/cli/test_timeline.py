"""A job's story from its Events and Checkpoints."""

from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job import TrainingJob
from ergosphere.cli.timeline import timeline

JOB = TrainingJob.parse(
    {
        "metadata": {"name": "a", "namespace": "ns", "uid": "u-1"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i", "command": ["x"]}]}}},
    }
)


def at(second):
    return f"2026-01-01T00:00:{second:0>2}Z"


def event(number, second, reason, message="", uid="u-1", count=1):
    return {
        "metadata": {"resourceVersion": str(number)},
        "involvedObject": {"uid": uid},
        "reason": reason,
        "message": message,
        "type": "Normal",
        "count": count,
        "firstTimestamp": at(0),
        "lastTimestamp": at(second),
    }


def cut(name, begun, ended, uid="u-1", **status):
    ready = {"type": "Ready", "status": "True", "reason": "Stored", "lastTransitionTime": at(0)}
    body = {
        "metadata": {"name": name},
        "spec": {"jobName": "a", "reason": "Drain"},
        "status": {
            "jobUid": uid,
            "startTime": begun,
            "completionTime": ended,
            "bytes": 2**28,
            "newBytes": 2**20,
            "conditions": [ready],
            **status,
        },
    }
    return Checkpoint.parse(body)


def test_what_happened_within_a_second_stays_in_the_order_in_which_it_was_written():
    events = [event(10, 1, "Started"), event(9, 1, "Placed"), event(2, 0, "Fits")]
    assert [e.what for e in timeline(JOB, [], events)] == ["Fits", "Placed", "Started"]


def test_a_move_takes_from_the_cut_to_the_first_step_in_the_new_place():
    story = timeline(
        JOB,
        [cut("a-1", "2026-01-01T00:00:05.600Z", "2026-01-01T00:00:07.100Z")],
        [event(1, 3, "Started"), event(2, 5, "Cutting"), event(3, 7, "Left"), event(4, 9, "Resumed")],
    )
    assert [e.what for e in story] == ["Started", "Cutting", "Left", "Saved", "Resumed"]
    assert [e.seconds for e in story] == [None, None, None, 1.5, 3.4]
    assert story[3].why == "a-1 (Drain): 256 MiB, 1.0 MiB new"


def test_a_checkpoint_after_which_the_job_ran_on_took_no_move():
    story = timeline(JOB, [cut("a-1", at(1), at(2), stallMs=40)], [event(4, 9, "Resumed")])
    assert story[0].why.endswith("stood still 40 ms")
    assert story[1].seconds is None


def test_a_failed_checkpoint_says_why():
    failed = {"type": "Failed", "status": "True", "reason": "NoSpace", "lastTransitionTime": at(0)}
    (entry,) = timeline(JOB, [cut("a-1", at(1), at(2), conditions=[failed | {"message": "full"}])], [])
    assert (entry.what, entry.why, entry.warning) == ("NotSaved", "a-1 (Drain): NoSpace: full", True)


def test_what_is_repeated_is_told_once():
    (entry,) = timeline(JOB, [], [event(1, 9, "NoRoom", "waits", count=3)])
    assert entry.why == f"waits (3 times since {at(0)})"


def test_other_jobs_are_left_out():
    others = [cut("b-1", at(1), at(2), uid="u-2")], [event(1, 1, "Started", uid="u-2")]
    assert timeline(JOB, *others) == []
