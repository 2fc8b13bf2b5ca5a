"""What the launcher is told of the job that it runs."""

from ergosphere.workload.launcher import wrapped


def command(**settings):
    return wrapped({"name": "main", "command": ["python3"]}, {}, "train:1", (), (), **settings)["command"]


def test_the_launcher_knows_whose_files_it_may_cut_back():
    launched = command(job="0123456789")
    position = launched.index("--job")
    assert launched[position + 1] == "0123456789"
    assert position < launched.index("--")
