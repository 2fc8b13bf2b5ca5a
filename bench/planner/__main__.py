"""Measure the planner on fleets of three sizes, each in a process of its own, and tell how the cost grows."""

import argparse
import json
import math
import subprocess
import sys

from rich.table import Table

from bench.planner.measures import LARGEST, Figures, measure
from ergosphere.cli.result import console

SIZES = (1_000, 10_000, LARGEST)
GROWN = {"plan": "full_plan_s", "calls": "full_plan_calls", "sort": "sort_s"}
SHOWN = (
    *("gpus", "jobs", "running", "full_plan_s", "full_plan_calls", "cold_plan_s"),
    *("sort_s", "event_plan_s", "cycle_s", "peak_rss_mib"),
)


def main() -> None:
    """Print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, help="measure only this size, and print only JSON")
    options = parser.parse_args()
    if options.gpus:
        print(json.dumps(measure(options.gpus)))
        return
    rows = [_apart(gpus) for gpus in SIZES]
    table = Table(*SHOWN, title="one plan, seconds on one core")
    for row in rows:
        table.add_row(*(f"{row[column]:,g}" for column in SHOWN))
    console().print(table)
    largest = rows[-1]
    grown = {f"{name}_growth": growth(rows, figure) for name, figure in GROWN.items()}
    print(json.dumps({"bench": "planner", **largest, **grown, "scaling": rows}))


def _apart(gpus: int) -> Figures:
    command = [sys.executable, "-m", "bench.planner", "--gpus", str(gpus)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(found.stdout))


def growth(rows: list[Figures], figure: str) -> float:
    """How a figure of the two largest fleets grew, as a multiple of what n log n would have grown."""
    small, large = rows[1], rows[-1]
    expected = large["gpus"] * math.log(large["gpus"]) / (small["gpus"] * math.log(small["gpus"]))
    return round(large[figure] / small[figure] / expected, 2)


if __name__ == "__main__":
    main()
