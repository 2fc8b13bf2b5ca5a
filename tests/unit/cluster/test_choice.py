"""Which way of making clusters is chosen."""

import pytest

from cluster import __main__ as command
from cluster.embedded.provider import EmbeddedProvider
from cluster.kind.engine import HostEngine
from cluster.kind.provider import KindProvider
from cluster.provider import ClusterError


@pytest.fixture(params=[True, False], ids=["docker", "no docker"])
def docker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(command.docker, "answers", lambda: request.param)
    monkeypatch.setattr(command, "find_engine", lambda: HostEngine("image"))
    return bool(request.param)


def test_without_a_word_it_is_kind_where_docker_answers(
    docker: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLUSTER", raising=False)
    assert isinstance(command.provider(), KindProvider if docker else EmbeddedProvider)


def test_a_word_decides(docker: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for word, chosen in (("kind", KindProvider), ("embedded", EmbeddedProvider)):
        monkeypatch.setenv("CLUSTER", word)
        assert isinstance(command.provider(), chosen)


def test_another_word_is_refused_with_those_that_are_allowed(
    docker: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTER", "minikube")
    with pytest.raises(ClusterError, match="'minikube'; it can be kind or embedded"):
        command.provider()
