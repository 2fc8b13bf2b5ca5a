"""What the operator shows to Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

JOBS = Gauge("ergosphere_jobs", "Training jobs by phase.", ["phase"])
BELOW_PROMISE = Gauge(
    "ergosphere_jobs_below_promise", "Training jobs that received less than their tier promises.", ["tier"]
)
CUTS = Counter("ergosphere_cuts_total", "Cuts that ended, by reason and result.", ["reason", "result"])
PARTS = Histogram(
    "ergosphere_cut_part_seconds",
    "How long each part of a cut took, the slowest rank's.",
    ["part"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
PLAN = Histogram(
    "ergosphere_plan_seconds",
    "How long one plan took.",
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
ACTIONS = Counter("ergosphere_planned_actions_total", "Actions that plans asked for.", ["kind", "reason"])
RECONCILE_ERRORS = Counter("ergosphere_reconcile_errors_total", "Reconciliations that failed.", ["error"])
LEADER = Gauge("ergosphere_leader", "1 while this operator leads.")

OTHER = "other"
_CUT_PARTS = {"prepare", "lock", "freeze", "dump", "files", "store", "commit", "stall"}


class Words:
    """The first `most` distinct words stand for themselves, and all others for `OTHER`.

    For labels that agents choose: each value of one costs memory here and in Prometheus for ever.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, word: str) -> str:
        """What to call it."""
        if len(self._known) < self._most:
            self._known.add(word)
        return word if word in self._known else OTHER


FAILURES = Words(100)
"""Why cuts failed."""


def cut_part(name: str) -> str:
    """What to call a part of a cut: its name, if it is one that agents of this version know."""
    return name if name in _CUT_PARTS else OTHER
