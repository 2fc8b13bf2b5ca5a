"""Traces are read, or refused in one line that names the file and the line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ergosphere.cli.main import app
from ergosphere.simulation import trace

ITP = "job_id,submission_time,duration,num_gpu"
PHILLY = "job_id,num_gpu,submit_time,iterations,duration,iteration_time"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "trace.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_trace_in_seconds_is_read_by_submission(tmp_path: Path) -> None:
    path = written(tmp_path, ITP, "late,20,5,8", "soon,10,7,1")
    first, second = trace.read(path)
    assert (first.name, first.submitted, first.service_s, first.gpus) == ("soon", 10.0, 7.0, 1)
    assert (second.name, second.origin) == ("late", f"{path}:2")


def test_a_trace_in_milliseconds_takes_the_run_time_from_the_iterations(tmp_path: Path) -> None:
    (job,) = trace.read(written(tmp_path, PHILLY, "0,4,2000,1000,5,100"))
    assert (job.submitted, job.gpus) == (2.0, 4)
    assert job.service_s == pytest.approx(101.5)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = written(tmp_path, "\N{BYTE ORDER MARK}" + ITP, "a,0,5,1")
    assert [job.name for job in trace.read(path)] == ["a"]


def test_a_job_of_thirty_years_is_run_and_one_submitted_in_seconds_since_1970(tmp_path: Path) -> None:
    path = written(tmp_path, ITP, "long,0,1000000000,1", "late,1800000000,5,1")
    done = CliRunner().invoke(app, ["simulate", "--fleet", "2x8", "--trace", str(path), "--json"])
    assert json.loads(done.stdout)["makespan_s"] == 1_800_000_005.0


BAD = [
    ([], ":1: the file is empty"),
    ([ITP], ":2: the trace has no jobs"),
    ([ITP, "a,0,-5,1"], ":2: duration must be from 1 to 1e+09, not -5"),
    ([ITP, "a,0,5,1", "b,-1,5,1"], ":3: submission_time must be from 0 to 1e+10, not -1"),
    ([ITP, "a,0,5,none"], ":2: num_gpu must be a number, not 'none'"),
    ([ITP, "a,0,nan,1"], ":2: duration must be from 1 to 1e+09, not nan"),
    ([ITP, "a,0,1000000000000,1"], ":2: duration must be from 1 to 1e+09, not 1000000000000"),
    ([ITP, "a,1e11,5,1"], ":2: submission_time must be from 0 to 1e+10, not 1e11"),
    (
        [PHILLY, "0,4,2000,1e15,5,1e15"],
        ":2: iterations of iteration_time must take at most 1e+09 s, not 1.015e+27",
    ),
    ([PHILLY, "0,4,1e14,1000,5,100"], ":2: submit_time must be from 0 to 1e+13, not 1e14"),
    ([ITP, "a,0,5,0"], ":2: num_gpu must be from 1 to 1e+15, not 0"),
    ([ITP, "a,0,5,1.5"], ":2: num_gpu must be a number, not '1.5'"),
    ([ITP, "a,0,5"], ":2: 3 values for 4 columns"),
    ([ITP, "a,0,5,1", ",1,5,1"], ":3: job_id must not be empty"),
    ([PHILLY, " ,4,2000,1000,5,100"], ":2: job_id must not be empty"),
    ([ITP, "a,0,5,1", "a,1,5,1"], ":3: job_id 'a' appears twice"),
    ([ITP + ",colour", "a,0,5,1,red"], ":1: unknown column 'colour'; microsoft-itp has duration, job_id"),
    (["a,b", "1,2"], ":1: columns a, b are no known trace format (philly-muri: "),
    ([ITP, "a,0,5,1", "b,0,5,17"], ":3: the job asks for 17 GPUs; a fleet of 2x8 has 16"),
]


@pytest.mark.parametrize(("lines", "message"), BAD, ids=[message for _, message in BAD])
def test_a_trace_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    path = written(tmp_path, *lines)
    done = CliRunner().invoke(app, ["simulate", "--fleet", "2x8", "--trace", str(path)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {path}{message}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_file_that_is_not_there_and_one_that_is_no_text_are_refused_alike(tmp_path: Path) -> None:
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    later = tmp_path / "later.csv"
    later.write_bytes(b"job_id,submission_time,duration,num_gpu\na,1,2,3\n\xff,1,2,3\n")
    quote = tmp_path / "quote.csv"
    quote.write_text('job_id,submission_time,duration,num_gpu\na,1,2,3\n"b,1,2,3\nc,1,2,3\n')
    for path, message in (
        (tmp_path / "none.csv", ": cannot be read: No such file or directory\n"),
        (tmp_path, ": cannot be read: Is a directory\n"),
        (binary, ":1: must be text in UTF-8\n"),
        (later, ":3: must be text in UTF-8\n"),
        (quote, ":3: must be CSV: unexpected end of data\n"),
    ):
        done = CliRunner().invoke(app, ["simulate", "--fleet", "2x8", "--trace", str(path)])
        assert done.exit_code == 2
        assert done.stderr == f"error: {path}{message}"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--fleet", "8", "--fleet: '8' is not NODESxGPUS, such as 16x8"),
        ("--policy", "lottery", "--policy: 'lottery' is no policy; there are fifo, "),
        ("--compare", "fifo,lottery", "--compare: 'lottery' is no policy; there are fifo, "),
        ("--tiers", "Premium=0.5", "--tiers: the shares of the tiers must sum to 1, not to 0.5"),
        ("--tiers", "Gold=1", "--tiers: 'Gold=1' is not one of Premium=VALUE, "),
        ("--cost", "overhead=-1s", "--cost: '-1s' is not a duration such as 90s, 30m, 2h or 7d"),
        ("--cost", "interval=0s", "--cost: interval must be longer than nothing"),
        ("--cost", "gib-per-s=0.000001", "--cost: 0.000001 is not from 0.001 to 1e+06"),
        ("--failures", f"mtbf={'9' * 320}h", f"--failures: {'9' * 320}h is longer than 1e+10 s"),
        ("--failures", "mtbf=0s", "--failures: mtbf must be longer than nothing"),
        ("--elastic", "2", "--elastic: 2 is not from 0 to 1"),
        ("--plot", "out.pdf", "--plot: out.pdf: the picture must be one of .html, .png"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, option: str, value: str, message: str
) -> None:
    path = written(tmp_path, ITP, "a,0,5,1")
    arguments = ["simulate", "--fleet", "2x8", "--trace", str(path), option, value]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_nodes_that_fail_before_anything_is_done_end_the_simulation_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("job_id,submission_time,duration,num_gpu\na,1,50,1\nb,2,60,1\n")
    options = ["simulate", "--fleet", "2x8", "--trace", str(path), "--failures", "mtbf=1s"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 2
    assert done.stderr.strip() == "error: --failures: nodes fail so often that of a, b none finishes"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1_000,5,1", "submission_time must be a number, not '1_000'"),
        (f"a,1,{'9x' * 5000},1", f"duration must be a number, not '{'9x' * 20}'"),
    ],
)
def test_numbers_that_only_python_knows_and_those_without_end_are_refused_in_a_line(
    tmp_path: Path, row: str, message: str
) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(f"job_id,submission_time,duration,num_gpu\n{row}\n")
    with pytest.raises(trace.TraceError, match=f":2: {message}$"):
        trace.read(path)
