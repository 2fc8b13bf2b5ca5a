"""The planner: Ergosphere's own policy.

Promises first: a job whose GPU fraction is about to fall below its tier's promise takes GPUs from those that
have the largest surplus, lowest tier first. All other GPUs go to whoever is expected to give them back first,
so that none idles while a job that fits waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ergosphere.scheduling.book import Book
from ergosphere.scheduling.claims import Claims
from ergosphere.scheduling.cycle import Cycle
from ergosphere.scheduling.elasticity import grow, refit
from ergosphere.scheduling.maintenance import evacuate, relocate, remain, salvage, suspend
from ergosphere.scheduling.model import DEFAULT_TIERS, Job, Node, Plan, State, Tier
from ergosphere.scheduling.rules import Rules
from ergosphere.scheduling.serving import Serving, admit
from ergosphere.scheduling.space import Space


class Planner:
    """The incremental `Policy`: index of nodes and jobs, kept by the caller between plans."""

    def __init__(
        self,
        levels: Iterable[str] = (),
        tiers: Mapping[str, Tier] = DEFAULT_TIERS,
        rules: Rules | None = None,
    ) -> None:
        self.levels = tuple(levels)
        self.tiers = tiers
        self.rules = rules or Rules()
        self.nodes: dict[str, Node] = {}
        self.book = Book()
        self._space: Space | None = None

    def put_node(self, node: Node) -> None:
        """See `Policy`."""
        self.nodes[node.name] = node
        if self._space is not None:
            if self._space.fits(node):
                self._space.replace(node)
            else:
                self._space = None

    def drop_node(self, name: str) -> None:
        """Forget a node; jobs on it are lost."""
        if self.nodes.pop(name, None) is not None:
            self._space = None

    def put(self, job: Job) -> None:
        """See `Policy`. Raises `KeyError` for an unknown tier."""
        if job.tier not in self.tiers:
            raise KeyError(f"job {job.name}: no tier {job.tier!r}; there are {', '.join(sorted(self.tiers))}")
        if job.admitted is not None and (not self.tiers[job.tier].promise or job.state is State.SUSPENDED):
            job = replace(job, admitted=None)
        if self._space is not None:
            old = self.book.jobs.get(job.name)
            if old is not None:
                self._space.take(old.placement, old.gpus_per_worker, -1)
            self._space.take(job.placement, job.gpus_per_worker)
        self.book.put(job)

    def drop(self, name: str) -> None:
        """See `Policy`."""
        job = self.book.drop(name)
        if self._space is not None:
            self._space.take(job.placement, job.gpus_per_worker, -1)

    @property
    def space(self) -> Space:
        """The index of free GPUs."""
        if self._space is None:
            taken = ((job.placement, job.gpus_per_worker) for job in self.book.jobs.values())
            self._space = Space(self.nodes, self.levels, taken)
        return self._space

    def plan(self, now: float) -> Plan:
        """See `Policy`."""
        cycle = Cycle(self.space, self.book, self.tiers, self.rules, now)
        try:
            return _decide(cycle)
        finally:
            cycle.close()


def _decide(cycle: Cycle) -> Plan:
    """The steps of a plan, each on what the ones before it left."""
    suspend(cycle)
    salvage(cycle)
    refit(cycle)
    admit(cycle)
    serving = Serving(cycle)
    serving.salvaged()
    unserved = Claims(serving).serve()
    # After the claims: what is found for those who leave would else be taken from them again.
    relocate(cycle)
    evacuate(cycle)
    made = cycle.released
    serving.fill()
    if unserved and cycle.released > made:
        # Whoever moved for others may have left room for a promise, and they yield to it.
        Claims(serving).serve()
        serving.fill()
    # Those who yielded may have left room for jobs that had none to leave a cordoned node for.
    evacuate(cycle)
    grow(cycle)
    serving.explain()
    remain(cycle)
    return Plan(cycle.actions(), cycle.waiting, tuple(sorted(cycle.admitted)), cycle.look_again)
