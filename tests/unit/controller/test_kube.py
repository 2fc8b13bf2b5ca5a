"""Collections that are too large to be read at once."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import aiohttp
import pytest

from ergosphere.controller.kube import ApiError, Kube, Object
from ergosphere.controller.reflector import Reflector
from ergosphere.controller.resources import PODS


class Paged(Kube):
    """An API server that gives a few pods at a time, and may forget where a reader was."""

    def __init__(self, pods: int, *, forgets: int = 0) -> None:
        super().__init__(cast(Any, None))
        self.pods, self.forgets = pods, forgets
        self.asked: list[dict[str, str]] = []

    async def _call(self, method: str, path: str, query: Any = None, *_: Any, **__: Any) -> Object:
        self.asked.append(dict(query))
        start, limit = int(query.get("continue", 0)), int(query["limit"])
        if start and self.forgets:
            self.forgets -= 1
            raise ApiError(410, "Expired", "The provided continue parameter is too old")
        rest = {"continue": str(start + limit)} if start + limit < self.pods else {}
        items = [_pod(number) for number in range(start, min(start + limit, self.pods))]
        metadata: Mapping[str, str] = {"resourceVersion": "42", **rest}
        return {"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items}


def _pod(number: int) -> Object:
    metadata = {"name": f"p{number:04}", "namespace": "lab", "uid": f"u{number}", "resourceVersion": "7"}
    return {"metadata": metadata, "spec": {"containers": []}}


@pytest.mark.parametrize(("pods", "pages"), [(0, 1), (500, 1), (501, 2), (1200, 3)])
async def test_a_collection_is_read_in_pages(pods: int, pages: int) -> None:
    kube = Paged(pods)
    listing = await kube.list(PODS)
    assert [obj["metadata"]["name"] for obj in listing["items"]] == [f"p{n:04}" for n in range(pods)]
    assert listing["metadata"] == {"resourceVersion": "42"}
    assert len(kube.asked) == pages
    assert all(query["limit"] == "500" for query in kube.asked)


async def test_listed_objects_say_what_they_are_as_watched_ones_do() -> None:
    (obj,) = (await Paged(1).list(PODS))["items"]
    assert (obj["apiVersion"], obj["kind"]) == ("v1", "Pod")


class Streaming(Kube):
    """An API server whose watch sends these lines."""

    def __init__(self, *lines: bytes) -> None:
        super().__init__(cast(Any, None))
        self.lines = lines

    async def _send(self, *_: Any, **__: Any) -> Any:
        stream = aiohttp.StreamReader(Mock(), limit=1 << 16)
        for line in self.lines:
            stream.feed_data(line + b"\n")
        stream.feed_eof()
        return SimpleNamespace(status=200, response=SimpleNamespace(content=stream, close=Mock()))


async def test_an_object_that_is_long_in_json_ends_no_watch() -> None:
    """Whoever may create pods can make one that takes several times as much in JSON as where it is kept."""
    long = {"type": "ADDED", "object": _pod(0) | {"spec": {"args": ["<" * 1_300_000]}}}
    escaped = json.dumps(long).replace("<", r"\u003c").encode()
    assert len(escaped) > 7 << 20
    after = {"type": "BOOKMARK", "object": _pod(1)}
    found = [event async for event in Streaming(escaped, json.dumps(after).encode()).watch(PODS, "1")]
    assert found == [long, after]


class Ended(Exception):
    """The copy was in step."""


class Watched(Paged):
    async def watch(self, *_: Any) -> Any:
        raise Ended
        yield


async def test_a_list_that_took_too_long_begins_again() -> None:
    kube = Watched(1200, forgets=1)
    reflector = Reflector(PODS, lambda *_: None, lambda: None)
    with pytest.raises(Ended):
        await reflector.run(kube)
    assert len(reflector.objects) == 1200
    assert [query.get("continue") for query in kube.asked] == [None, "500", None, "500", "1000"]
