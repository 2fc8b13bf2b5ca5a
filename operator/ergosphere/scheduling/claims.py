"""Keeping promises: jobs whose fraction would fall below what they were promised are started now."""

from ergosphere.scheduling.book import Shape
from ergosphere.scheduling.cycle import Cause
from ergosphere.scheduling.elasticity import lacking
from ergosphere.scheduling.explanation import started_on
from ergosphere.scheduling.model import Job
from ergosphere.scheduling.serving import Serving
from ergosphere.scheduling.yielding import Yielders, make_room


class Claims:
    """Serves those whose promise is due, on GPUs of those who have more than they were promised."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.cycle = serving.cycle
        self.yielders = Yielders(serving.cycle)
        self.failed: dict[tuple[Shape, int, int], int] = {}
        """Claims that found no room, and how often room had been made by then."""

    def serve(self) -> bool:
        """Start them, the highest tier first, within a tier the one that is worst off; whether any was not.

        Where that fails and others run, time may help: they come to have more than they were promised.
        """
        failed = False
        for job in sorted(self._due(), key=self._order):
            if job.placement and not self.cycle.settled(job):
                continue  # moved meanwhile, so that another could start
            served = self._complete(job) if job.placement else self.serving.fits(job) or self._claim(job)
            if not served and self.cycle.book.placed:
                self.cycle.again(self.cycle.now + self.cycle.rules.look_s)
                failed = True
        return failed

    def _due(self) -> list[Job]:
        cycle, due = self.cycle, []
        for job in [*self.serving.idle(), *self._incomplete()]:
            if job.admitted is not None:
                time = cycle.due(job)
                if time is not None and time <= cycle.now:
                    due.append(job)
                elif time is not None:
                    cycle.again(time)
        return due

    def _incomplete(self) -> list[Job]:
        """Those that run with so few of their workers that their promise breaks sooner or later."""
        cycle = self.cycle
        jobs = (cycle.job(name) for name in cycle.book.elastic)
        fewer = (j for j in jobs if len(j.placement) / j.workers < cycle.promise(j))
        return [j for j in fewer if cycle.settled(j) and cycle.rested(j) and cycle.stays(j.placement)]

    def _order(self, job: Job) -> tuple[int, int, float, float, str]:
        cycle = self.cycle
        return (
            -cycle.tiers[job.tier].rank,
            -job.priority,
            cycle.surplus(job),
            job.submitted,
            job.name,
        )

    def _complete(self, job: Job) -> bool:
        """Give a job that runs the workers that it lacks."""
        cycle, tier = self.cycle, self.cycle.tiers[job.tier]
        rest = lacking(cycle, job)
        placement = cycle.place(rest, rest.workers)
        if placement is None:
            placement = make_room(cycle, rest, self.yielders.to(job), self._why(job))
        if placement is None:
            return False
        message = f"{tier.name} promises it {tier.promise:.2f} of its time: it gets all its workers."
        cycle.assign(cycle.book.jobs[job.name], job.placement + placement, Cause("PromiseDue", message))
        return True

    def _why(self, job: Job) -> Cause:
        tier = self.cycle.tiers[job.tier]
        why = f"{job.name}, whose {tier.name} promise of {tier.promise:.2f} would break otherwise"
        return Cause("Yielded", f"Yields its GPUs to {why}; it had more than it was promised.")

    def _claim(self, job: Job) -> bool:
        cycle, tier = self.cycle, self.cycle.tiers[job.tier]
        claim = cycle.book.shapes[job.name], tier.rank, job.priority
        if not job.gpus_per_worker or self.failed.get(claim) == cycle.released:
            return False
        cause = self._why(job)
        placement = make_room(cycle, job, self.yielders.to(job), cause)
        if placement is None:
            placement = self.serving.defragmenter.clear_with(job, self.yielders.to(job), cause)
        if placement is None:
            self.failed[claim] = cycle.released
            return False
        message = f"{tier.name} promises it {tier.promise:.2f} of its time. {started_on(placement)}"
        self.serving.start(job, placement, Cause("PromiseDue", message))
        return True
