"""What every scheduling policy offers to the operator and to the simulator."""

from typing import Protocol

from ergosphere.scheduling.model import Job, Node, Plan


class Policy(Protocol):
    """A policy indexes nodes and jobs as they change, and plans from the index.

    The index holds nothing but what was put in: a policy that was told every change plans as a new one would
    that is told only the present.
    """

    def put_node(self, node: Node) -> None:
        """Add a node, or replace the one of that name."""

    def put(self, job: Job) -> None:
        """Add a job, or replace the one of that name."""

    def drop(self, name: str) -> None:
        """Forget the job of that name; it has ended."""

    def plan(self, now: float) -> Plan:
        """Decide what to do at `now`. Changes nothing: carried-out actions come back through `put`."""
