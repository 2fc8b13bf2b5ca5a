"""docs/cli.md is what `ergo --help` says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_document_of_the_command_is_what_its_help_says():
    typer = Path(sys.executable).with_name("typer")
    command = [str(typer), "ergosphere.cli.main", "utils", "docs", "--name", "ergo"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs/cli.md").read_text().strip() == made.strip(), "run `make docs`"
