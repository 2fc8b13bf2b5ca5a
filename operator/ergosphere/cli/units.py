"""Times and sizes as people read them."""

from datetime import UTC, datetime

_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def now() -> datetime:
    """The time, as the objects write it."""
    return datetime.now(UTC)


def length(seconds: float) -> str:
    """A length of time to two units at most, such as 3m12s."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    for unit, name, smaller, its in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit}{name}" + (f"{rest}{its}" if rest else "")
    return f"{whole}s"


def age(since: datetime | None, at: datetime) -> str:
    """How long ago; empty where nothing is known."""
    return "" if since is None else length(round((at - since).total_seconds()))


def size(count: int | None) -> str:
    """A number of bytes, such as 209 MiB; empty where nothing is known."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
