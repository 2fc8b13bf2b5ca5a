"""What is observed of one job, as plain values: all that its reconciliation may look at."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from ergosphere.api.agent import Exit, Report
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.training_job import TrainingJob
from ergosphere.api.training_job_status import TrainingJobStatus

from .worker import WorkerPod


@dataclass(frozen=True)
class JobView:
    """One job, its pods, what their agents report and its checkpoints, oldest first.

    `answered` are the pods whose agents were asked whether they are there, and said so; `silent` those whose
    agents were spoken to for as long as a lease lasts, and were not heard; `unreached` says for how many
    seconds others were asked in vain.
    """

    job: TrainingJob
    pods: tuple[WorkerPod, ...] = ()
    reports: Mapping[str, Report] = field(default_factory=dict)
    answered: Set[str] = frozenset()
    silent: Set[str] = frozenset()
    unreached: Mapping[str, float] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()

    @cached_property
    def workers(self) -> Mapping[int, WorkerPod]:
        """The pods of the present incarnation by rank; none while the job has no placement.

        A rank that was seen to finish stays so, whatever becomes of its pod. A pod of no placed rank, or on
        another node than its rank's, is none of them: whoever may create pods can write our labels.
        """
        status = self.job.status
        if not status.placement:
            return {}
        places = {p.rank: ("", p.node) for p in status.placement}
        own = (p for p in self.pods if p.incarnation == status.incarnation)
        pods = {p.rank: p for p in own if p.node in places.get(p.rank, ())}
        return pods | {rank: _finished(rank, pods.get(rank), status) for rank in status.finished_ranks}

    @cached_property
    def ranks(self) -> Mapping[int, Report]:
        """The reports of the present incarnation by rank."""
        return {rank: self.reports[p.uid] for rank, p in self.workers.items() if p.uid in self.reports}

    @property
    def predecessors(self) -> tuple[WorkerPod, ...]:
        """Pods of other incarnations in which a program may still run; not those on nodes that are lost."""
        now = {p.uid for p in self.workers.values()}
        return tuple(p for p in self.pods if p.node and not p.over and not p.lost and p.uid not in now)

    def checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint object of that name."""
        return next((c for c in self.checkpoints if c.name == name), None)


def _finished(rank: int, pod: WorkerPod | None, status: TrainingJobStatus) -> WorkerPod:
    gone = WorkerPod("", "", rank, status.incarnation, node="", ended=status.placed_time)
    return replace(
        pod or gone, phase="Succeeded", exit=Exit(code=0), reason="", deleting=False, lost=False, unstarted=""
    )
