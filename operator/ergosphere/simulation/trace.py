"""Job traces: two published formats, told apart by their columns.

Microsoft Philly as published with Muri (SIGCOMM 22), and Microsoft ITP as published with ElasticFlow
(ASPLOS 23).
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path


class TraceError(ValueError):
    """A trace that cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class TraceJob:
    """One job of a trace: `service_s` is its run time in seconds on the `gpus` it asked for.

    `origin` is the file and the line it was read from.
    """

    name: str
    submitted: float
    service_s: float
    gpus: int
    origin: str = ""


Row = Mapping[str, str]

MOST = 1e15
_SHOWN = 40  # characters of a wrong value
LONGEST_S = 1e9
"""Thirty years: the simulator keeps account of every hour of a job."""
LATEST_S = 1e10
"""Submission may be told in seconds since 1970."""

MURI_OVERHEAD = 1.015
"""Muri's simulator runs every iteration this much longer than the trace says."""


def _number(
    row: Row, column: str, least: float, most: float = MOST, kind: Callable[[str], float] = float
) -> float:
    text = row[column]
    try:
        value = kind(text.replace("_", "?"))  # Python's own numbers may have underscores in them
    except (TypeError, ValueError):
        raise ValueError(f"{column} must be a number, not {text[:_SHOWN]!r}") from None
    if not least <= value <= most:
        raise ValueError(f"{column} must be from {least:g} to {most:g}, not {text[:_SHOWN]}")
    return value


def _gpus(row: Row, column: str) -> int:
    return int(_number(row, column, 1, kind=int))


def _name(row: Row) -> str:
    if not row["job_id"].strip():
        raise ValueError("job_id must not be empty")
    return row["job_id"]


def _philly(row: Row) -> TraceJob:
    work_ms = _number(row, "iterations", 1) * _number(row, "iteration_time", 1)
    service_s = work_ms * MURI_OVERHEAD / 1000
    if service_s > LONGEST_S:
        raise ValueError(f"iterations of iteration_time must take at most {LONGEST_S:g} s, not {service_s:g}")
    submitted = _number(row, "submit_time", 0, LATEST_S * 1000) / 1000
    _number(row, "duration", 0)
    return TraceJob(_name(row), submitted, service_s, _gpus(row, "num_gpu"))


def _itp(row: Row) -> TraceJob:
    submitted = _number(row, "submission_time", 0, LATEST_S)
    service_s = _number(row, "duration", 1, LONGEST_S)
    return TraceJob(_name(row), submitted, service_s, _gpus(row, "num_gpu"))


@dataclass(frozen=True, slots=True)
class Format:
    """A trace format: the columns that tell it, all that it may have, and how a row is read."""

    name: str
    required: frozenset[str]
    known: frozenset[str]
    read: Callable[[Row], TraceJob]


PHILLY = Format(
    "philly-muri",
    frozenset({"job_id", "num_gpu", "submit_time", "iterations", "iteration_time", "duration"}),
    frozenset(
        [
            "job_id",
            "num_gpu",
            "submit_time",
            "iterations",
            "model_name",
            "batch_size",
            "duration",
            "interval",
            "iteration_time",
            "resource_time_0",
            "resource_time_1",
            "resource_time_2",
            "priority",
        ]
    ),
    _philly,
)
ITP = Format(
    "microsoft-itp",
    frozenset({"job_id", "submission_time", "duration", "num_gpu"}),
    frozenset({"job_id", "submission_time", "duration", "num_gpu"}),
    _itp,
)
FORMATS = (PHILLY, ITP)


def _detect(path: Path, columns: list[str]) -> Format:
    for known in FORMATS:
        if known.required <= set(columns):
            unknown = sorted(set(columns) - known.known)
            if unknown:
                allowed = ", ".join(sorted(known.known))
                raise TraceError(f"{path}:1: unknown column {unknown[0]!r}; {known.name} has {allowed}")
            return known
    shapes = "; ".join(f"{f.name}: {', '.join(sorted(f.required))}" for f in FORMATS)
    raise TraceError(f"{path}:1: columns {', '.join(columns)} are no known trace format ({shapes})")


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        content = path.read_bytes()
        # Spreadsheets begin a file with a byte order mark.
        lines = StringIO(content.decode("utf-8-sig"), newline="")
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TraceError(f"{path}:{line}: must be text in UTF-8") from error
    reader, read = csv.reader(lines, strict=True), 0
    try:
        for row in reader:
            read = reader.line_num
            if row:
                yield read, row
    except csv.Error as error:
        raise TraceError(f"{path}:{read + 1}: must be CSV: {error}") from error


def read(path: Path) -> list[TraceJob]:
    """The jobs of a trace file, by submission. Raises `TraceError`."""
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise TraceError(f"{path}:1: the file is empty")
    columns = header[1]
    if len(set(columns)) < len(columns):
        raise TraceError(f"{path}:1: a column appears twice")
    kind = _detect(path, columns)
    jobs: dict[str, TraceJob] = {}
    for line, row in rows:
        if len(row) != len(columns):
            raise TraceError(f"{path}:{line}: {len(row)} values for {len(columns)} columns")
        try:
            job = replace(kind.read(dict(zip(columns, row, strict=True))), origin=f"{path}:{line}")
        except ValueError as error:
            raise TraceError(f"{path}:{line}: {error}") from None
        if job.name in jobs:
            raise TraceError(f"{path}:{line}: job_id {job.name!r} appears twice")
        jobs[job.name] = job
    if not jobs:
        raise TraceError(f"{path}:2: the trace has no jobs")
    return sorted(jobs.values(), key=lambda job: job.submitted)
