"""Measuring the contenders on the same images."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from blake3 import blake3

from bench.store.contenders import CONTENDERS, Contender, Ergosphere, flush, forget, tree_size

PAGE = 4096
Seconds = dict[str, float]


def timings(images: Path, work: Path, rounds: int) -> dict[str, Seconds]:
    """For each contender the median seconds to store a rank, to store its next cut, and to restore it.

    The contenders take turns, so that what else the machine does meets all of them alike.
    """
    found: dict[str, dict[str, list[float]]] = {name: {} for name in CONTENDERS}
    for _ in range(rounds):
        for name, kind in CONTENDERS.items():
            forget(work)
            work.mkdir(parents=True)
            contender: Contender = kind(work / "kept")
            for what, act in _acts(contender, images, work / "back"):
                began = time.monotonic()
                act()
                found[name].setdefault(what, []).append(time.monotonic() - began)
    forget(work)
    return {
        name: {what: statistics.median(times) for what, times in parts.items()}
        for name, parts in found.items()
    }


def _acts(contender: Contender, images: Path, target: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    def restore() -> None:
        contender.give_back(1, 0, target)
        flush(target)

    yield "store", lambda: contender.keep(1, [images / "cut-1/rank-0"])
    yield "next_store", lambda: contender.keep(2, [images / "cut-2/rank-0"])
    yield "restore", restore


def sizes(name: str, images: Path, work: Path, world: int) -> dict[str, int]:
    """Bytes kept of one rank, of its next cut on top, and of all ranks."""
    forget(work)
    work.mkdir(parents=True)
    alone: Contender = CONTENDERS[name](work / "alone")
    alone.keep(1, [images / "cut-1/rank-0"])
    first = alone.size()
    alone.keep(2, [images / "cut-2/rank-0"])
    second = alone.size() - first
    together: Contender = CONTENDERS[name](work / "together")
    together.keep(1, [images / f"cut-1/rank-{rank}" for rank in range(world)])
    replicas = together.size()
    forget(work)
    return {"first": first, "second": second, "replicas": replicas}


def stored_over_floor(images: Path, work: Path, world: int) -> float:
    """Bytes of the pages kept of all images, over those of the distinct pages that are not zeros."""
    forget(work)
    store = Ergosphere(work / "all")
    for cut in (1, 2):
        store.keep(cut, [images / f"cut-{cut}/rank-{rank}" for rank in range(world)])
    kept = store.pages()
    forget(work)
    return kept / len(distinct_pages(images))


def distinct_pages(images: Path) -> set[bytes]:
    """The hashes of all pages of all files that are not zeros; a file's last page is filled up with zeros."""
    found = set()
    for path in images.glob("cut-*/**/*"):
        if path.is_file():
            with path.open("rb") as file:
                while page := file.read(PAGE):
                    found.add(blake3(page.ljust(PAGE, b"\0")).digest(16))
    return found - {blake3(bytes(PAGE)).digest(16)}


def peak_memory(images: Path, work: Path) -> dict[str, float]:
    """GiB of images, and MiB of memory that a process took at most to store them, and one to restore them."""
    forget(work)
    peaks: dict[str, float] = {"large_gib": round(tree_size(images) / 2**30, 2)}
    for what in ("save", "fetch"):
        command = [sys.executable, "-m", "bench.store.memory", what, str(images), str(work)]
        peaks[f"{what}_peak_mib"] = json.loads(subprocess.check_output(command))
    forget(work)
    return peaks
