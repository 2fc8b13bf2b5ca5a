"""What must hold after every change that the API server reports, whatever else goes wrong."""

from collections import Counter

from tests.integration.controller.history import History
from tests.integration.controller.kubelet import gpus, over

from ergosphere.api.meta import GPU_RESOURCE, LABEL_MANAGED_BY
from ergosphere.api.training_job import TrainingJob
from ergosphere.controller.kube import Object, Resource
from ergosphere.controller.resources import NODES, PODS, TRAINING_JOBS


class Invariants:
    """Watches a history; `violations` says what was wrong, and when."""

    def __init__(self, history: History) -> None:
        self.violations: list[str] = []
        self._history = history
        self._jobs: dict[str, TrainingJob] = {}
        history.observers.append(self._observe)

    def use(self, checkpoint: str) -> str:
        """What refers to a checkpoint, by its id in the store; empty for nothing."""
        by_name = {c.name: c for c in self._history.checkpoints()}
        for job in self._history.jobs():
            status = job.status
            if job.finished or job.deleted:
                continue
            cut = by_name.get(status.cut.name) if status.cut else None
            if cut and cut.status.id == checkpoint:
                return f"{job.name} is being cut for it"
            starting = status.placement and status.ran_incarnation < status.incarnation
            if starting and status.restore_from == checkpoint:
                return f"{job.name} is being restored from it"
            last = by_name.get(status.last_checkpoint.name) if status.last_checkpoint else None
            if not status.placement and last and last.status.id == checkpoint:
                return f"{job.name} is to go on from it"
        return ""

    def _observe(self, kind: Resource, event: str, obj: Object) -> None:
        if kind is TRAINING_JOBS and event != "DELETED":
            self._compare(TrainingJob.parse(obj))
        if kind in (TRAINING_JOBS, PODS):
            self._count_gpus(f"{event} {obj['metadata']['name']}")

    def _compare(self, job: TrainingJob) -> None:
        before = self._jobs.get(job.uid)
        self._jobs[job.uid] = job
        if before is None:
            return
        for name in ("incarnation", "cuts", "failures", "ran_incarnation"):
            if getattr(job.status, name) < getattr(before.status, name):
                self.violations.append(f"{job.name}: {name} went back")
        known = {c.type: c for c in before.status.conditions}
        for c in job.status.conditions:
            old = known.get(c.type)
            moved = old and old.last_transition_time != c.last_transition_time
            if old and moved != (old.status is not c.status):
                self.violations.append(f"{job.name}: lastTransitionTime of {c.type} is not of its status")

    def _count_gpus(self, when: str) -> None:
        given: Counter[str] = Counter()
        held: Counter[str] = Counter()
        for job in self._history.jobs():
            for place in job.status.placement:
                given[place.node] += job.spec.gpus_per_worker()
        for pod in self._history.objects[PODS].values():
            ours = LABEL_MANAGED_BY in pod["metadata"].get("labels", {})
            if ours and not over(pod) and (node := pod["spec"].get("nodeName")):
                held[node] += gpus(pod)
        for node in self._history.objects[NODES].values():
            name, there = (
                node["metadata"]["name"],
                int(node["status"].get("allocatable", {}).get(GPU_RESOURCE, 0)),
            )
            if given[name] > there or held[name] > there:
                self.violations.append(
                    f"{when}: {name} has {there} GPUs, {given[name]} given, {held[name]} held"
                )
