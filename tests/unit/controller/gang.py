"""A gang of simulated agents: they follow the protocol, fail, lose their lease or fall silent as told."""

from dataclasses import dataclass, field

from ergosphere.api.agent import (
    Command,
    CutReport,
    CutStep,
    Failure,
    Phase,
    Platform,
    Report,
)

PLATFORM = Platform(architecture="amd64", kernel="6.18", cpu_flags="f")
ORDER = [None, CutStep.LOCKED, CutStep.DUMPED, CutStep.STORED, CutStep.COMMITTED]


@dataclass
class SimulatedAgent:
    rank: int
    phase: Phase = Phase.RUNNING
    part: CutReport | None = None
    version: int = 1
    fails_at: str = ""
    freezes: bool = True
    told: list[str] = field(default_factory=list)

    def report(self) -> Report:
        return Report(
            version=self.version,
            rank=self.rank,
            incarnation=1,
            phase=self.phase,
            platform=PLATFORM,
            cut=self.part,
        )

    def tell(self, command: Command) -> None:
        self.told.append(command.kind)
        self.version += 1
        if self.fails_at == command.kind and self.part:
            failure = Failure(reason="Broken", message=f"{command.kind} failed")
            self.part = self.part.model_copy(update={"failure": failure})
        if self.part and self.part.failure and command.kind != "Abort":
            return
        getattr(self, f"_{command.kind.lower()}")(command)

    def expire(self) -> None:
        """The lease runs out: what is frozen thaws."""
        held = self.part and self.part.step and not self.part.released and self.phase is not Phase.LEFT
        if held and self.part and self.part.step is not CutStep.ABORTED:
            self._undo(Failure(reason="LeaseExpired", message="not confirmed"))

    def _undo(self, failure: Failure) -> None:
        if self.part:
            self.part = self.part.model_copy(update={"step": CutStep.ABORTED, "failure": failure})
        self.phase = Phase.RUNNING

    def _lock(self, command: Command) -> None:
        if self.part is None or self.part.cut != command.cut:
            frozen = False if self.freezes else None
            self.part = CutReport(cut=command.cut, step=CutStep.LOCKED, frozen=frozen)

    def _advance(self, step: CutStep, **update: object) -> None:
        if self.part and ORDER.index(self.part.step) == ORDER.index(step) - 1:
            self.part = self.part.model_copy(update={"step": step, **update})

    def _freeze(self, _: Command) -> None:
        if self.part and self.part.step is CutStep.LOCKED:
            self.part = self.part.model_copy(update={"frozen": True})
            self.phase = Phase.FROZEN

    def _dump(self, _: Command) -> None:
        self._advance(CutStep.DUMPED, frozen=True if self.freezes else None)
        if self.part and self.part.step is CutStep.DUMPED:
            self.phase = Phase.FROZEN

    def _store(self, _: Command) -> None:
        self._advance(CutStep.STORED, digest=f"d{self.rank}", bytes=10, new_bytes=5)

    def _commit(self, _: Command) -> None:
        self._advance(CutStep.COMMITTED)

    def _release(self, _: Command) -> None:
        if self.part and self.part.step is CutStep.DUMPED:
            self.part = self.part.model_copy(update={"released": True})
            self.phase = Phase.RUNNING

    def _leave(self, _: Command) -> None:
        if self.phase is Phase.FROZEN:
            self.phase = Phase.LEFT

    def _abort(self, command: Command) -> None:
        if self.part and self.part.cut == command.cut:
            self._undo(command.failure)

    def _renew(self, _: Command) -> None:
        pass
