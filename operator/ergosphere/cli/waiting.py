"""Waiting, with progress: what stands on the error stream does not mix with the result."""

import time

from rich.console import Console
from rich.status import Status

from ergosphere.cli.cluster import Cluster
from ergosphere.cli.failure import Failure, NotFound, TimedOut
from ergosphere.cli.stand import Judge
from ergosphere.cli.units import length
from ergosphere.controller.kube import Object, Resource


class Progress:
    """One line that changes on a terminal; elsewhere a line for each change."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._status = Status("", console=self._console) if self._console.is_terminal else None
        self._last = ""
        self._began = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def say(self, text: str) -> None:
        """How it stands."""
        if text == self._last:
            return
        self._last = text
        if self._status:
            self._status.update(f"{self._what}: {text}")
        else:
            self._console.print(f"{self._what}: {text} ({length(time.monotonic() - self._began)})")


def await_stand(cluster: Cluster, resource: Resource, name: str, judge: Judge, seconds: float) -> Object:
    """The object once it stands as it should.

    Raises Failure where it never will, NotFound where the object is gone, TimedOut after so many seconds.
    """
    end = time.monotonic() + seconds
    text = "nothing was heard of it"
    with Progress(name) as progress:
        while (left := end - time.monotonic()) > 0:
            for body in cluster.follow(resource, name, left):
                if body is None:
                    raise NotFound(f"{name} is gone: it was deleted meanwhile")
                stand = judge(body)
                text = stand.text
                progress.say(text)
                if stand.failed:
                    raise Failure(f"{name}: {stand.failed}")
                if stand.done:
                    return body
    raise TimedOut(f"{name} is not there after {length(seconds)}, and goes on: {text}")
