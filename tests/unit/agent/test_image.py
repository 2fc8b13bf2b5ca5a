"""The agent's image against what the agent imports."""

import ast
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
PACKAGE = REPOSITORY / "operator" / "ergosphere"


def imported() -> set[str]:
    """The top-level packages, other than Python's own and ours, that the code in the image imports."""
    files = [
        *(PACKAGE / "agent").glob("*.py"),
        *(PACKAGE / "checkpoints").glob("*.py"),
        PACKAGE / "api" / "agent.py",
    ]
    names: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"ergosphere"}


def listed(file: str) -> set[str]:
    text = (REPOSITORY / "images" / "agent" / file).read_text()
    return set(re.findall(r"^[a-z][\w-]*", text, re.MULTILINE))


def test_the_image_has_just_what_its_code_imports():
    assert listed("requirements.in") == imported()


@pytest.mark.parametrize("name", sorted(imported()))
def test_the_image_has_the_versions_that_are_tested(name):
    pins = {}
    for file in (REPOSITORY / "requirements.lock", REPOSITORY / "images" / "agent" / "requirements.lock"):
        pins[file] = re.findall(rf"^{name}==\S+.*?(?= \\)", file.read_text(), re.MULTILINE)
    first, second = pins.values()
    assert first == second != []
