"""`python -m ergosphere.controller`: run the operator."""

import logging
import resource
import sys

import kopf

from .app import run
from .config import ConfigError


def main() -> int:
    """Run the operator; 2 for a wrong configuration."""
    use_all_files()
    kopf.configure(log_format=kopf.LogFormat.JSON)
    logging.getLogger("ergosphere").setLevel(logging.INFO)
    # Of each question to the webhooks it would say that it was answered.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        run()
    except ConfigError as error:
        print(f"ergosphere: {error}", file=sys.stderr)
        return 2
    return 0


def use_all_files() -> None:
    """Raise the limit of open files to the highest allowed."""
    # Each worker's long poll holds one; container runtimes start a process with 1024 unless it asks for more.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
