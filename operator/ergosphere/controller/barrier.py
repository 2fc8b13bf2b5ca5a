"""The cut of a gang as a pure state machine: what each agent reported -> what to tell each next.

Two barriers make the cut consistent. No rank is stopped before all are locked, so no packet crosses the
cut; none runs on or ends before all are dumped. One between them makes it quick: none is dumped before all
stand still, for a dump takes what the others need to stop. A leaving gang ends only after its checkpoint has
been recorded, so it is never both gone and unrecorded. One rank's failure aborts the cut everywhere.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from ergosphere.api.agent import (
    Abort,
    Command,
    Commit,
    CutReport,
    CutStep,
    Dump,
    Failure,
    Freeze,
    Leave,
    Lock,
    Phase,
    Release,
    Renew,
    Report,
    Store,
)

_ORDER = {None: 0, CutStep.LOCKED: 1, CutStep.DUMPED: 2, CutStep.STORED: 3, CutStep.COMMITTED: 4}


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut of `ranks` workers. `recorded` says that its checkpoint is written down as complete."""

    id: str
    ranks: int
    leaving: bool
    recorded: bool
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class Committed:
    """The checkpoint is complete in the store. The ranks' parts, in milliseconds, are the slowest rank's."""

    digest: str
    bytes: int
    new_bytes: int
    parts_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Left:
    """Every rank's program has ended at the cut."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The cut is undone everywhere; the job runs on."""

    failure: Failure


Verdict = Committed | Left | Failed


@dataclass(frozen=True, slots=True)
class Orders:
    """What to tell the ranks now, whose leases to extend, and how the cut has ended, if it has."""

    commands: Mapping[int, Command]
    renewals: Mapping[int, Renew]
    verdict: Verdict | None = None


def advance(cut: Cut, reports: Mapping[int, Report], silent: Set[int] = frozenset()) -> Orders:
    """The next orders of a cut.

    A rank without a report is waited for, and no lease is extended meanwhile: their end ends the wait. The
    `silent` ranks were heard before, and do not answer any more: the others do without the cut.
    """
    if cut.recorded:
        return _after_record(cut, reports)
    reports = {rank: report for rank, report in reports.items() if rank not in silent}
    failure = _failure(cut, reports) or _silence(silent)
    if failure:
        return _undo(cut, failure, reports)
    verdict = _verdict(cut, reports)
    renewals = _renewals(cut, reports) if len(reports) == cut.ranks else {}
    return Orders(_commands(cut, reports), renewals, verdict)


def _after_record(cut: Cut, reports: Mapping[int, Report]) -> Orders:
    """What is left of a cut whose checkpoint is complete: it cannot fail any more, whoever runs on by now."""
    if not cut.leaving:
        return Orders({}, {})
    frozen = {rank: Leave(cut=cut.id) for rank, r in reports.items() if r.phase is Phase.FROZEN}
    gone = len(reports) == cut.ranks and all(r.phase is Phase.LEFT for r in reports.values())
    return Orders(frozen, _renewals(cut, reports), Left() if gone else None)


def _part(cut: Cut, report: Report) -> CutReport | None:
    return report.cut if report.cut and report.cut.cut == cut.id else None


def _failure(cut: Cut, reports: Mapping[int, Report]) -> Failure | None:
    """Why the cut cannot go on, by the lowest rank that says so."""
    for _, report in sorted(reports.items()):
        part = _part(cut, report)
        if part and part.failure:
            return part.failure
        if part and part.step is CutStep.ABORTED:
            return Failure(reason="LeaseExpired", message="the operator did not confirm the cut in time")
        if report.phase is Phase.EXITED and not (part and part.released):
            return Failure(reason="ProgramEnded", message="the program ended before it could be cut")
    return None


def _silence(silent: Set[int]) -> Failure | None:
    if not silent:
        return None
    return Failure(reason="WorkerSilent", message=f"the agent of rank {min(silent)} does not answer")


def _undo(cut: Cut, failure: Failure, reports: Mapping[int, Report]) -> Orders:
    parts = {rank: _part(cut, report) for rank, report in reports.items()}
    left = {
        rank: Abort(cut=cut.id, failure=failure)
        for rank, part in parts.items()
        if part and not _undone(part, reports[rank].phase)
    }
    return Orders(left, {}, None if left else Failed(failure))


def _undone(part: CutReport, phase: Phase) -> bool:
    """Whether a rank has given the cut up. One that had committed keeps that step, and runs.

    That a program runs is not enough: its network may still be locked, and its image be kept.
    """
    return part.step is CutStep.ABORTED or (part.step is CutStep.COMMITTED and phase is not Phase.FROZEN)


def _commands(cut: Cut, reports: Mapping[int, Report]) -> Mapping[int, Command]:
    steps = {rank: _ORDER[p.step] if (p := _part(cut, r)) else 0 for rank, r in reports.items()}
    if len(reports) < cut.ranks:
        return {}
    slowest = min(steps.values())
    if slowest < _ORDER[CutStep.LOCKED]:
        lock = Lock(cut=cut.id, lease_seconds=cut.lease_seconds)
        return {rank: lock for rank, step in steps.items() if step < _ORDER[CutStep.LOCKED]}
    if slowest < _ORDER[CutStep.DUMPED]:
        return _stop(cut, reports, steps)
    if slowest < _ORDER[CutStep.STORED]:
        return _store(cut, reports, steps)
    if steps[0] < _ORDER[CutStep.COMMITTED]:
        return {0: Commit(cut=cut.id, digests=[_digest(cut, reports[rank]) for rank in range(cut.ranks)])}
    return {}


def _stop(cut: Cut, reports: Mapping[int, Report], steps: Mapping[int, int]) -> Mapping[int, Command]:
    """Freeze the ranks first, where they can be frozen apart from their dump."""
    parts = {rank: _part(cut, report) for rank, report in reports.items()}
    moving = [rank for rank, part in parts.items() if part and part.frozen is False]
    if moving:
        return {rank: Freeze(cut=cut.id) for rank in moving}
    return {rank: Dump(cut=cut.id) for rank, step in steps.items() if step < _ORDER[CutStep.DUMPED]}


def _store(cut: Cut, reports: Mapping[int, Report], steps: Mapping[int, int]) -> Mapping[int, Command]:
    """A leaving rank stays frozen while its image is stored; a staying one runs on first."""
    commands: dict[int, Command] = {}
    for rank, report in reports.items():
        part = _part(cut, report)
        if not cut.leaving and part and not part.released:
            commands[rank] = Release(cut=cut.id)
        elif steps[rank] < _ORDER[CutStep.STORED]:
            commands[rank] = Store(cut=cut.id)
    return commands


def _digest(cut: Cut, report: Report) -> str:
    part = _part(cut, report)
    return part.digest if part else ""


def _renewals(cut: Cut, reports: Mapping[int, Report]) -> Mapping[int, Renew]:
    renew = Renew(cut=cut.id, lease_seconds=cut.lease_seconds)
    held = {
        rank
        for rank, report in reports.items()
        if (part := _part(cut, report)) and part.step and not part.released and report.phase is not Phase.LEFT
    }
    return dict.fromkeys(sorted(held), renew)


def _verdict(cut: Cut, reports: Mapping[int, Report]) -> Verdict | None:
    parts = [p for r in reports.values() if (p := _part(cut, r))]
    if len(parts) < cut.ranks:
        return None
    first = _part(cut, reports[0])
    if not first or first.step is not CutStep.COMMITTED:
        return None
    names = sorted({name for part in parts for name in part.parts_ms})
    return Committed(
        digest=first.digest,
        bytes=sum(p.bytes for p in parts),
        new_bytes=sum(p.new_bytes for p in parts),
        parts_ms={name: max(p.parts_ms.get(name, 0.0) for p in parts) for name in names},
    )
