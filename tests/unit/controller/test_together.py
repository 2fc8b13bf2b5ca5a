"""Things done together: all of them, so many at a time, and every failure is told."""

import asyncio

import pytest

from ergosphere.controller.kube import ApiError
from ergosphere.controller.mishaps import report
from ergosphere.controller.together import each, raise_all, singly


async def test_all_are_begun_in_order_and_no_more_than_so_many_are_under_way() -> None:
    begun: list[int] = []
    under_way: set[int] = set()
    most = 0

    async def do(item: int) -> None:
        nonlocal most
        begun.append(item)
        under_way.add(item)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.discard(item)

    await each(range(10), do, at_once=3)
    assert (begun, most) == (list(range(10)), 3)


async def test_one_that_fails_neither_keeps_nor_hides_another() -> None:
    done: list[int] = []

    async def do(item: int) -> None:
        if item % 2:
            raise ValueError(item)
        done.append(item)

    with pytest.raises(ExceptionGroup) as raised:
        await each(range(5), do, at_once=2)
    assert done == [0, 2, 4]
    assert [error.args for error in singly(raised.value)] == [(1,), (3,)]


def grouped(*errors: Exception) -> Exception:
    with pytest.raises(ExceptionGroup) as raised:
        raise_all(errors)
    return raised.value


def test_what_went_wrong_alike_is_said_once_and_all_else_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    refused = [ApiError(403, "Forbidden", f"no room for {name}") for name in "abc"]
    inner = grouped(*refused)
    assert not report(("ns", "a"), grouped(inner, KeyError("bug")))
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "ns/a: 403 Forbidden: no room for a (and 2 more)"),
        ("ERROR", "ns/a: 'bug'"),
    ]


def test_conflicts_alone_are_no_more_than_that(caplog: pytest.LogCaptureFixture) -> None:
    stale = ApiError(409, "Conflict", "stale")
    assert report(("ns", "a"), stale)
    assert not report(("ns", "a"), grouped(stale, TimeoutError()))
    assert [r.levelname for r in caplog.records] == ["WARNING"]
