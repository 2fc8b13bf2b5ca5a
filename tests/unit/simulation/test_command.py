"""What `ergo simulate` prints."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ergosphere.cli.main import app

KEYS = {
    "avg_jct_s",
    "median_jct_s",
    "p99_jct_s",
    "makespan_s",
    "utilization",
    "preemptions",
    "migrations",
    "promises_kept",
}


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    rows = [f"j{i},{100 * i},{900 + 50 * i},{1 + i % 4}" for i in range(20)]
    path.write_text("\n".join(["job_id,submission_time,duration,num_gpu", *rows]) + "\n")
    return path


def simulate(trace: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["simulate", "--fleet", "1x4", "--trace", str(trace), *arguments])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_one_policy_as_json(trace: Path) -> None:
    told = json.loads(simulate(trace, "--policy", "fifo", "--json", "--tiers", "Premium=0.5,Basic=0.5"))
    assert told.keys() >= KEYS
    assert told["promises_kept"].keys() == {"Premium", "Basic"}
    assert told["preemptions"] == 0


def test_policies_side_by_side(trace: Path) -> None:
    told = json.loads(simulate(trace, "--compare", "fifo,srtf,tiresias,ergosphere", "--json"))
    assert list(told) == ["fifo", "srtf", "tiresias", "ergosphere"]
    printed = simulate(trace, "--compare", "fifo,srtf")
    assert "avg JCT s" in printed
    assert "Standard kept" in printed


def test_policies_that_are_named_as_one_are_all_printed(trace: Path) -> None:
    told = simulate(trace, "--policy", "fifo,srtf", "--json")
    assert told == simulate(trace, "--compare", "fifo,srtf", "--json")
    assert list(json.loads(told)) == ["fifo", "srtf"]


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_pictures(trace: Path, tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"picture{suffix}"
    simulate(trace, "--compare", "fifo,ergosphere", "--plot", str(picture))
    start = picture.read_bytes()[:15]
    assert start.startswith(b"\x89PNG" if suffix == ".png" else b"<!doctype html>")


def test_a_picture_in_the_place_of_a_folder_is_refused_before_anything_is_run(
    trace: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.html"
    picture.mkdir()
    done = CliRunner().invoke(
        app, ["simulate", "--fleet", "1x4", "--trace", str(trace), "--plot", str(picture)]
    )
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: --plot: {picture}: it is a folder\n"


@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_a_picture_that_the_disk_has_no_room_for_costs_nobody_the_figures(
    trace: Path, tmp_path: Path, suffix: str
) -> None:
    picture = tmp_path / f"picture{suffix}"
    picture.symlink_to("/dev/full")
    arguments = ["simulate", "--fleet", "1x4", "--trace", str(trace), "--json", "--plot", str(picture)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"error: {picture} cannot be written: No space left on device"
    assert json.loads(done.stdout).keys() >= KEYS
