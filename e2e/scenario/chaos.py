"""Faults at random moments, drawn from one seed: the same seed draws the same faults in the same order."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.provider import Provider
from scenario.assassin import (
    AGENT,
    LAUNCHER,
    OPERATOR,
    assassin,
    delete_now,
    kill_operator,
    ready_operator,
)
from scenario.jobs import Job
from scenario.kubectl import Kubectl

# How often each kind is drawn, and between which seconds the next fault follows.
WEIGHTS = {"operator": 3, "agent": 3, "launcher": 3, "pod": 3, "node": 1, "drain": 3}
PAUSE_SECONDS = (2.0, 12.0)
OUTAGE_SECONDS = (3.0, 40.0)


@dataclass(slots=True)
class Chaos:
    """Strikes the system that trains `jobs` on the nodes of one cluster."""

    kubectl: Kubectl
    provider: Provider
    cluster: str
    jobs: list[Job]
    chance: random.Random

    def rage(self, seconds: float) -> list[str]:
        """Strike for that long; return what was done, in order."""
        kinds: Mapping[str, Callable[[], str]] = {
            "operator": self._operator,
            "agent": lambda: self._process(AGENT),
            "launcher": lambda: self._process(LAUNCHER),
            "pod": self._pod,
            "node": self._node,
            "drain": self._drain,
        }
        done = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(*PAUSE_SECONDS))
            kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            done.append(f"{kind} {kinds[kind]()}")
            print(f"  chaos: {done[-1]}", flush=True)
        return done

    def _victim(self) -> dict[str, Any] | None:
        job = self.chance.choice(self.jobs)
        lot = self.chance.random()
        pods = self.kubectl.list("pods", job.namespace)
        running = [pod for pod in pods if pod["status"]["phase"] == "Running" and _of(job, pod)]
        return running[int(lot * len(running))] if running else None

    def _operator(self) -> str:
        victim = ready_operator(self.kubectl)
        kill_operator(assassin(self.kubectl, victim, OPERATOR))
        return str(victim["metadata"]["name"])

    def _process(self, program: str) -> str:
        victim = self._victim()
        if victim is None:
            return "of nobody: no pod runs"
        struck = assassin(self.kubectl, victim, program).strike()
        return f"{victim['metadata']['name']}{'' if struck else ', which had ended'}"

    def _pod(self) -> str:
        victim = self._victim()
        if victim is None:
            return "of nobody: no pod runs"
        delete_now(self.kubectl, victim["metadata"]["namespace"], victim["metadata"]["name"])
        return str(victim["metadata"]["name"])

    def _node(self) -> str:
        node = self._any_node()
        outage = self.chance.uniform(*OUTAGE_SECONDS)
        self.provider.kill_node(self.cluster, node)
        time.sleep(outage)
        self.provider.restart_node(self.cluster, node)
        return f"{node} for {outage:.0f} s"

    def _drain(self) -> str:
        node = self._any_node()
        self.kubectl.run("cordon", node)
        try:
            time.sleep(self.chance.uniform(*PAUSE_SECONDS))
        finally:
            self.kubectl.run("uncordon", node)
        return node

    def _any_node(self) -> str:
        return self.chance.choice(sorted(self.kubectl.worker_nodes()))


def _of(job: Job, pod: dict[str, Any]) -> bool:
    return bool(pod["metadata"]["name"].startswith(f"{job.name}-"))
