"""Compare the checkpoint store with cp, restic and borg on the images of a running PyTorch trainer."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.store import requirements
from bench.store.contenders import forget
from bench.store.images import make_images, make_large_image
from bench.store.measures import peak_memory, sizes, stored_over_floor, timings
from bench.store.table import table

_HIDDEN = "--in-namespace"


def main() -> None:
    """Make the images unless they are there, measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=int, default=8, help="ranks of the trainer")
    parser.add_argument("--rounds", type=int, default=3, help="how often times are taken; the median counts")
    parser.add_argument("--large-gib", type=int, default=4, help="size of the process for the memory figures")
    parser.add_argument("--work", type=Path, default=Path("build/bench-store"), help="where images are kept")
    parser.add_argument(_HIDDEN, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    images, large = options.work.absolute() / "images", options.work.absolute() / "large"
    if os.geteuid() != 0:
        raise SystemExit("dumping processes needs root")
    criu = requirements.ensure()
    if options.in_namespace:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        make_images(criu, options.world, images)
        make_large_image(criu, options.large_gib, large)
        return
    if not large.exists():
        forget(images)
        # Alone in a network of their own, the ranks' ports are free, and nobody else hears them.
        again = [sys.executable, "-m", "bench.store", *sys.argv[1:], _HIDDEN]
        subprocess.run(["unshare", "--net", *again], check=True)
    found = measured(images, large, options.work.absolute() / "work", options.world, options.rounds)
    print(table(found, options.world))
    print(json.dumps({"bench": "store", **found}))


def measured(images: Path, large: Path, work: Path, world: int, rounds: int) -> dict[str, float]:
    """All figures: times as multiples of cp's, and what they are in seconds; bytes as ratios and in MB."""
    seconds = timings(images, work, rounds)
    figures: dict[str, float] = {}
    for name, times in seconds.items():
        prefix = "" if name == "ergosphere" else f"{name}_"
        figures |= {f"{prefix}{what}_s": round(time, 3) for what, time in times.items()}
        if name == "cp":
            continue
        cp = seconds["cp"]
        for what, base in (("store", "store"), ("next_store", "store"), ("restore", "restore")):
            figures[f"{prefix}{what}_vs_cp"] = round(times[what] / cp[base], 3)
        kept = sizes(name, images, work, world)
        figures |= {f"{prefix}{what}_mb": round(size / 1e6, 1) for what, size in kept.items()}
        figures[f"{prefix}replicas{world}_vs_1"] = round(kept["replicas"] / kept["first"], 3)
        figures[f"{prefix}second_vs_first"] = round(kept["second"] / kept["first"], 3)
    figures["stored_vs_floor"] = round(stored_over_floor(images, work, world), 4)
    return figures | {name: round(value, 1) for name, value in peak_memory(large, work).items()}


if __name__ == "__main__":
    main()
