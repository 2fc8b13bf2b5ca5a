"""A server that breaks off, or is no API server, cannot be reached: one line says what came back."""

import pytest
from tests.unit.cli.answering import answering, kubeconfig, refused

from ergosphere.cli.answer import object_in
from ergosphere.cli.failure import Unreachable


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_is_cut_off_is_a_connection_that_broke(tmp_path, status):
    with answering(b'{"items": [', length=100, status=status) as server:
        told = refused(kubeconfig(tmp_path, server), "jobs")
    assert told == (
        4,
        f"error: the connection to {server} broke: IncompleteRead(11 bytes read, 89 more expected)",
    )


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"<html>\n<body>Log in</body>\n</html>", "<html> <body>Log in</body> </html>"),
        (b"[]", "[]"),
        (b"", "nothing"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_answer_that_is_no_object_is_shown(tmp_path, raw, shown):
    with answering(raw) as server:
        told = refused(kubeconfig(tmp_path, server), "jobs")
    assert told == (4, f"error: {server} does not answer as an API server does: {shown}")


def test_of_a_long_answer_only_the_beginning_is_shown():
    with pytest.raises(Unreachable) as told:
        object_in(b"x" * 10_000, "http://there")
    assert len(str(told.value)) < 300
