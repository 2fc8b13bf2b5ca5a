"""Completion for `kubectl ergo`: kubectl runs kubectl_complete-ergo with the words after the plugin."""

import os
import shlex
import sys

from ergosphere.cli.main import app

_NO_FILES = ":4"
"""The directive that kubectl reads after the candidates: do not offer files in their place."""


def complete() -> None:
    """Print what the last word can become, one candidate a line."""
    words = ["ergo", *sys.argv[1:]]
    os.environ |= {"COMP_WORDS": shlex.join(words), "COMP_CWORD": str(len(words) - 1)}
    os.environ["_ERGO_COMPLETE"] = "complete_bash"
    try:
        app(prog_name="ergo")
    finally:
        print(_NO_FILES)
