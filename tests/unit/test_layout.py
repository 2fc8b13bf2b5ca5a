"""The shape of the tree: what a newcomer is promised to find, and where."""

import operator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "operator"
PACKAGE = SOURCE / "ergosphere"


def test_the_source_root_is_no_package_and_hides_nothing() -> None:
    assert not (SOURCE / "__init__.py").exists()
    assert not Path(operator.__file__).is_relative_to(ROOT)


def test_the_source_root_holds_one_package() -> None:
    found = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert found == {"ergosphere"}


def test_every_folder_of_the_package_says_what_it_is() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    unsaid = [folder for folder in folders if not (folder / "__init__.py").is_file()]
    assert not unsaid
    assert not [f for f in folders if not (f / "__init__.py").read_text().startswith('"""')]


def test_modules_are_named_by_nouns_of_the_field() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    sources = [path for part in (PACKAGE, ROOT / "e2e", ROOT / "tests") for path in part.rglob("*.py")]
    assert not [path for path in sources if empty & {path.stem, path.parent.name}]


def test_the_library_never_names_the_machine_it_was_written_on() -> None:
    homes = ("/root/", "/home/", "/work/")
    named = [path for path in PACKAGE.rglob("*.py") if any(home in path.read_text() for home in homes)]
    assert not named
