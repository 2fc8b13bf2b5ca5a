"""Rounds of throughput over both networks, summed up."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

PLAIN, JOB = "pod network", "job network"


def summary(rounds: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """For each network the least, the median and the greatest throughput, in the unit of the rounds.

    Raises:
        ValueError: there is no round, or one lacks a network.
    """
    if not rounds or any(set(one) != {PLAIN, JOB} for one in rounds):
        raise ValueError("every round must measure both networks, and there must be one")
    columns = {network: [one[network] for one in rounds] for network in (PLAIN, JOB)}
    return {
        network: {"min": min(values), "median": median(values), "max": max(values)}
        for network, values in columns.items()
    }


def ratio(found: Mapping[str, Mapping[str, float]]) -> float:
    """The job network's median throughput as a share of the pod network's."""
    return found[JOB]["median"] / found[PLAIN]["median"]


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """The summary for people, in gigabits per second."""
    lines = [f"{'':<14}{'min':>10}{'median':>10}{'max':>10}   Gbit/s"]
    lines += [
        f"{network:<14}" + "".join(f"{row[column]:>10.2f}" for column in ("min", "median", "max"))
        for network, row in found.items()
    ]
    return "\n".join([*lines, f"{'ratio':<14}{'':>10}{ratio(found):>10.2f}"])


def line(found: Mapping[str, Mapping[str, float]], rounds: int, seconds: float) -> dict[str, Any]:
    """The summary for machines, in bits per second."""
    bits = {network.replace(" ", "_"): row["median"] * 1e9 for network, row in found.items()}
    numbers = {name: round(value) for name, value in bits.items()}
    return {
        "bench": "network",
        "rounds": rounds,
        "seconds": seconds,
        "bits_per_s": numbers,
        "ratio": round(ratio(found), 4),
    }
