"""Quantities on the command line: `name=value` lists, durations, shares, the shape of a fleet."""

import re

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 1e10


def assignments(text: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """`a=1,b=2` as a mapping. Raises `ValueError` naming what is allowed."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or name not in allowed or name in found:
            raise ValueError(f"{part!r} is not one of {', '.join(f'{n}=VALUE' for n in allowed)}, each once")
        found[name] = value
    return found


def number(text: str, least: float, most: float) -> float:
    """A number between two bounds."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not least <= value <= most:
        raise ValueError(f"{text} is not from {least:g} to {most:g}")
    return value


def duration_s(text: str) -> float:
    """A duration such as `90s`, `30m`, `2h` or `7d`, up to three centuries, in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 30m, 2h or 7d")
    seconds = float(match[1]) * UNITS_S[match[2]]
    if seconds > LONGEST_S:
        raise ValueError(f"{text} is longer than {LONGEST_S:g} s")
    return seconds


def fleet_shape(text: str) -> tuple[int, int]:
    """`16x8`: nodes, and GPUs on each."""
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,2})", text)
    if match is None:
        raise ValueError(f"{text!r} is not NODESxGPUS, such as 16x8")
    return int(match[1]), int(match[2])
