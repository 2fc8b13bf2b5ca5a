"""Many things done at a time, and all that went wrong with them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


async def each(items: Iterable[Item], do: Callable[[Item], Awaitable[object]], *, at_once: int) -> None:
    """Do it with every item, begun in their order, whatever becomes of the others.

    Raises ExceptionGroup with all that went wrong.
    """
    places = asyncio.Semaphore(at_once)

    async def one(item: Item) -> None:
        async with places:
            await do(item)

    results = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    raise_all(result for result in results if isinstance(result, BaseException))


def raise_all(errors: Iterable[BaseException]) -> None:
    """Raise these as one, if there are any."""
    found = list(errors)
    if found:
        raise BaseExceptionGroup(f"{len(found)} of the things done together failed", found)


def singly(error: BaseException) -> Iterator[BaseException]:
    """What went wrong, one by one, in whatever groups it was raised."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in error.exceptions:
        yield from singly(inner)
