"""Simulated training: a counter that advances while the program runs, so that lost work is visible."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ergosphere.api.agent import Exit

_STEPS_PER_SECOND = 1000.0
_ALIVE = ("Running", "Frozen")


class Program:
    """One rank in one pod, from step `first` on. `state` is in the launcher's words, "Left" among them."""

    def __init__(self, gym: "Gym", job: str, rank: int, incarnation: int, world: int) -> None:
        self.gym, self.job, self.rank, self.incarnation, self.world = gym, job, rank, incarnation, world
        self.state = "Waiting"
        self.cut = ""
        self.exit: Exit | None = None
        self.fenced = False
        self.ended = asyncio.Event()
        self.first = 0
        self._steps = 0
        self._since = 0.0
        gym.programs.append(self)

    @property
    def steps(self) -> int:
        """How far the training has come."""
        if self.state != "Running":
            return self._steps
        return self._steps + int((self._now() - self._since) * _STEPS_PER_SECOND)

    def start(self) -> None:
        """Begin from nothing."""
        if self.state == "Waiting":
            self._run(begins=True)

    def restore(self, steps: int) -> None:
        self.state, self._steps, self.first = "Restored", steps, steps

    def freeze(self, cut: str) -> int:
        """Stop; returns what an image of it holds."""
        assert self.state in _ALIVE, self.state
        self._steps, self.state, self.cut = self.steps, "Frozen", cut
        return self._steps

    def thaw(self) -> None:
        if self.state in ("Frozen", "Restored"):
            self._run(begins=self.state == "Restored")

    def leave(self, cut: str) -> None:
        assert (self.state, self.cut) == ("Frozen", cut)
        self._end("Left", Exit(code=0))

    def finish(self, code: int, signal: int = 0) -> None:
        """The program ends, by itself or killed."""
        if not self.ended.is_set():
            self._end("Exited", Exit(code=code, signal=signal))

    def _end(self, state: str, how: Exit) -> None:
        self._steps, self.state, self.exit = self.steps, state, how
        self.ended.set()
        self.gym.tell()

    def _run(self, *, begins: bool) -> None:
        if begins:
            self.gym.begins(self)
        self._since, self.state, self.cut = self._now(), "Running", ""
        self.gym.tell()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Gym:
    """All programs of a world, and what must never happen with them.

    `losses` are the steps by which each restart fell back behind what had been reached.
    """

    tell: Callable[[], None]
    secured: Callable[[str, int], int]
    programs: list[Program] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def running(self, job: str) -> list[Program]:
        """The programs of a job that run, by rank; fenced ones apart."""
        found = [p for p in self.programs if p.job == job and p.state == "Running" and not p.fenced]
        return sorted(found, key=lambda p: p.rank)

    def reached(self, job: str, rank: int) -> int:
        """The greatest number of steps that a rank ever had."""
        return max((p.steps for p in self.programs if (p.job, p.rank) == (job, rank)), default=0)

    def begins(self, program: Program) -> None:
        """Check what must hold as a program is started or resumed in a new pod."""
        before = [p for p in self.programs if p.job == program.job and p is not program]
        same = [p for p in before if p.incarnation == program.incarnation]
        others = [p for p in before if p.incarnation != program.incarnation]
        name = f"rank {program.rank} of incarnation {program.incarnation}"
        for other in others:
            if other.state in _ALIVE and not other.fenced:
                self.violations.append(f"{name} began beside {other.state} incarnation {other.incarnation}")
        if len(same) + 1 != program.world or any(p.state == "Exited" for p in same):
            self.violations.append(f"{name} began without its whole gang")
        if (secured := self.secured(program.job, program.rank)) > program.steps:
            self.violations.append(f"{name} began at {program.steps}, and {secured} had been secured")
        if any(p.rank == program.rank for p in others):
            reached = max(p.steps for p in others if p.rank == program.rank)
            self.losses.append(reached - program.steps)
