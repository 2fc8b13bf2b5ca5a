"""Simulate three Microsoft ITP traces on 16 nodes with 8 GPUs, mixed tiers, and what moving costs."""

import argparse
import json
import sys
from pathlib import Path

from bench.policy.comparison import Comparison, compare, markdown, renewed, table
from ergosphere.cli.result import console

TRACES = ("cluster02", "cluster03", "cluster06")
DOCUMENT = Path("docs/scheduling.md")


def main() -> None:
    """Print a table and one line of JSON, and renew the table in the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, default=Path("../shared/traces/microsoft-itp"))
    options = parser.parse_args()
    files = [options.traces / f"{name}.csv" for name in TRACES]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        sys.exit(f"needs the public traces {', '.join(missing)}; --traces names their folder")
    found: list[Comparison] = [compare(file) for file in files]
    console().print(table(found))
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(), markdown(found)))
    print(json.dumps({"bench": "policy", "cases": [comparison.as_json() for comparison in found]}))


if __name__ == "__main__":
    main()
